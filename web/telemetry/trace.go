package telemetry

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// Traces sends traces where the standard variables OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
// say; with neither set nothing is traced and nothing is paid for it. stop sends what is left.
func Traces(ctx context.Context, vars map[string]string, version string) (stop func(context.Context) error, err error) {
	nothing := func(context.Context) error { return nil }
	if vars["OTEL_SDK_DISABLED"] == "true" || vars["OTEL_EXPORTER_OTLP_ENDPOINT"] == "" && vars["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] == "" {
		return nothing, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nothing, fmt.Errorf("set up the OTLP exporter: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "slipway"), attribute.String("service.version", version)),
		resource.WithHost(), resource.WithFromEnv()) // the environment wins
	if err != nil {
		return nothing, fmt.Errorf("describe this process to the tracer: %w", err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(about))
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return provider.Shutdown, nil
}
