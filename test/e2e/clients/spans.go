// A collector of spans out of the libraries that real ones are made of: it reads what is posted to it as OpenTelemetry's collector
// (pdata), Zipkin's Go library and Datadog's agent read it, and prints a JSON object for each span.
package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"

	datadog "github.com/DataDog/datadog-agent/pkg/proto/pbgo/trace"
	zipkin "github.com/openzipkin/zipkin-go/model"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

type span struct {
	Type, Service, Trace, ID, Parent, Name, Kind, Error string
	StartUs, DurationUs                                 int64
	Tags                                                map[string]string
}

func otlp(body []byte) (spans []span, err error) {
	request := ptraceotlp.NewExportRequest()
	if err = request.UnmarshalJSON(body); err != nil {
		return nil, err
	}
	for _, resource := range request.Traces().ResourceSpans().All() {
		service, _ := resource.Resource().Attributes().Get("service.name")
		for _, scope := range resource.ScopeSpans().All() {
			for _, one := range scope.Spans().All() {
				tags := map[string]string{}
				for key, value := range one.Attributes().All() {
					tags[key] = value.AsString()
				}
				start := one.StartTimestamp().AsTime()
				spans = append(spans, span{
					Type: "otlp", Service: service.AsString(), Trace: one.TraceID().String(), ID: one.SpanID().String(),
					Parent: one.ParentSpanID().String(), Name: one.Name(), Kind: one.Kind().String(),
					Error: one.Status().Message(), StartUs: start.UnixMicro(),
					DurationUs: one.EndTimestamp().AsTime().Sub(start).Microseconds(), Tags: tags,
				})
			}
		}
	}
	return spans, nil
}

func zipkinV2(body []byte) (spans []span, err error) {
	var models []zipkin.SpanModel
	if err = json.Unmarshal(body, &models); err != nil {
		return nil, err
	}
	for _, one := range models {
		parent := ""
		if one.ParentID != nil {
			parent = one.ParentID.String()
		}
		spans = append(spans, span{
			Type: "zipkin", Service: one.LocalEndpoint.ServiceName, Trace: one.TraceID.String(), ID: one.ID.String(),
			Parent: parent, Name: one.Name, Kind: string(one.Kind), Error: one.Tags["error"],
			StartUs: one.Timestamp.UnixMicro(), DurationUs: one.Duration.Microseconds(), Tags: one.Tags,
		})
	}
	return spans, nil
}

func datadogV04(body []byte) (spans []span, err error) {
	var traces datadog.Traces
	if err = json.Unmarshal(body, &traces); err != nil {
		return nil, err
	}
	hex := func(id uint64) string {
		if id == 0 {
			return ""
		}
		return strconv.FormatUint(id, 16)
	}
	for _, trace := range traces {
		for _, one := range trace {
			spans = append(spans, span{
				Type: "datadog", Service: one.Service, Trace: hex(one.TraceID), ID: hex(one.SpanID),
				Parent: hex(one.ParentID), Name: one.Name, Kind: one.Meta["span.kind"], Error: one.Meta["error.message"],
				StartUs: one.Start / 1000, DurationUs: one.Duration / 1000, Tags: one.Meta,
			})
		}
	}
	return spans, nil
}

func main() {
	readers := map[string]func([]byte) ([]span, error){
		"/v1/traces": otlp, "/api/v2/spans": zipkinV2, "/v0.4/traces": datadogV04,
	}
	print := json.NewEncoder(os.Stdout)
	handle := func(answer http.ResponseWriter, request *http.Request) {
		read, known := readers[request.URL.Path]
		if !known {
			http.NotFound(answer, request)
			return
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		spans, err := read(body)
		if err != nil {
			print.Encode(map[string]string{"Refused": err.Error(), "Body": string(body)})
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		for _, one := range spans {
			print.Encode(one)
		}
	}
	if err := http.ListenAndServe(os.Args[1], http.HandlerFunc(handle)); err != nil {
		panic(err)
	}
}
