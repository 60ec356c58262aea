package telemetry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
)

func TestLoggerMasksSecrets(t *testing.T) {
	const secret = `hunter2<"&pass`
	for _, json := range []bool{true, false} {
		var out bytes.Buffer
		log := Logger(&out, LogOptions{JSON: json, Level: "debug", Secrets: []string{secret, "x"}})
		log.Error("connect with "+secret, "err", errors.New("wrapped: "+secret), "config", struct{ DSN string }{secret},
			slog.Group("request", "Authorization", "Bearer abc", "cookie", "session=abc"), "token", "abc", "path", "/tenants")
		got := out.String()
		if strings.Contains(got, "hunter2") || strings.Contains(got, "abc") {
			t.Errorf("a secret is in the log: %s", got)
		}
		if !strings.Contains(got, "/tenants") || strings.Count(got, mask) < 6 {
			t.Errorf("masked too much or too little: %s", got)
		}
	}
}

func TestLoggerLevelAndTrace(t *testing.T) {
	var out bytes.Buffer
	log := Logger(&out, LogOptions{JSON: true, Level: "warn"}).With("component", "web")
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}})
	ctx := trace.ContextWithSpanContext(t.Context(), span)
	log.InfoContext(ctx, "quiet")
	log.WarnContext(ctx, "loud")
	if got := out.String(); strings.Contains(got, "quiet") || !strings.Contains(got, `"trace_id":"01000000`) || !strings.Contains(got, `"component":"web"`) {
		t.Error(got)
	}
}

func TestTraces(t *testing.T) {
	stop, err := Traces(t.Context(), nil, "test")
	if err != nil || stop(t.Context()) != nil {
		t.Errorf("without an endpoint: %v", err)
	}
	got := make(chan string, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.URL.Path }))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	stop, err = Traces(t.Context(), map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL}, "test")
	if err != nil {
		t.Fatal(err)
	}
	_, span := otel.Tracer("test").Start(t.Context(), "one")
	span.End()
	if err := stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if path := <-got; path != "/v1/traces" {
		t.Errorf("traces went to %s", path)
	}
}
