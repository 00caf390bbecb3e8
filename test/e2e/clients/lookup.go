// Looks names up with Go's own resolver: one line for each `FAMILY NAME` of the arguments, addresses or what went wrong; for
// `srv NAME` the targets, for `ptr ADDRESS` the names.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

func main() {
	resolver := &net.Resolver{PreferGo: true}
	for i := 1; i+1 < len(os.Args); i += 2 {
		kind, name := os.Args[i], os.Args[i+1]
		found, err := lookup(resolver, kind, name)
		fmt.Println(strings.Join(append([]string{kind, name}, words(found, err)...), " "))
	}
}

func lookup(resolver *net.Resolver, kind, name string) ([]string, error) {
	ctx := context.Background()
	switch kind {
	case "srv":
		_, records, err := resolver.LookupSRV(ctx, "", "", name)
		targets := []string{}
		for _, record := range records {
			targets = append(targets, fmt.Sprintf("%s:%d", record.Target, record.Port))
		}
		return targets, err
	case "ptr":
		return resolver.LookupAddr(ctx, name)
	}
	network := map[string]string{"4": "ip4", "6": "ip6", "0": "ip"}[kind]
	addresses, err := resolver.LookupIP(ctx, network, name)
	texts := []string{}
	for _, address := range addresses {
		texts = append(texts, address.String())
	}
	return texts, err
}

func words(found []string, err error) []string {
	var failure *net.DNSError
	if err == nil {
		return found
	}
	if errors.As(err, &failure) && !failure.IsNotFound && (failure.IsTemporary || failure.IsTimeout) {
		return []string{"again"}
	}
	return []string{"none"}
}
