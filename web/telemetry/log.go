// Package telemetry sets up logs, traces and metrics for the whole process.
package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

const mask = "********"

// sensitive are attribute names whose value is never written, whatever it is: nobody can list those secrets beforehand.
var sensitive = []string{"password", "secret", "token", "authorization", "cookie", "csrf", "verifier", "dsn", "code", "id_token", "access_token", "refresh_token", "secret_access_key", "session_token"}

// LogOptions say how the log is written.
type LogOptions struct {
	JSON    bool // serve; otherwise text, for people
	Level   string
	Secrets []string // values that no line may hold
}

// Logger writes structured lines, each with its trace id. Secrets are masked twice: by the attribute's name and, in the
// finished line, by value, so that an error's text or a dumped struct does not leak them.
func Logger(w io.Writer, o LogOptions) *slog.Logger {
	level := new(slog.LevelVar)
	if err := level.UnmarshalText([]byte(o.Level)); err != nil {
		level.Set(slog.LevelInfo)
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: byName}
	out := masking(w, o.Secrets)
	if o.JSON {
		return slog.New(traced{slog.NewJSONHandler(out, options)})
	}
	return slog.New(traced{slog.NewTextHandler(out, options)})
}

func byName(_ []string, a slog.Attr) slog.Attr {
	if slices.Contains(sensitive, strings.ToLower(a.Key)) {
		a.Value = slog.StringValue(mask)
	}
	return a
}

// masking replaces secrets in each line; slog writes a record with one call.
func masking(w io.Writer, secrets []string) io.Writer {
	var pairs []string
	for _, secret := range secrets {
		if len(secret) < 4 { // so short a value would mask half the log, and protects nothing
			continue
		}
		for _, spelling := range spellings(secret) {
			pairs = append(pairs, spelling, mask)
		}
	}
	if len(pairs) == 0 {
		return w
	}
	return &maskingWriter{w: w, replacer: strings.NewReplacer(pairs...)}
}

// spellings are the ways the handlers may write a value: as it stands, or escaped as a Go or a JSON string.
func spellings(secret string) []string {
	all := []string{secret, inner(strconv.Quote(secret))}
	for _, html := range []bool{false, true} {
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(html)
		if err := encoder.Encode(secret); err == nil {
			all = append(all, inner(strings.TrimSpace(out.String())))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

type maskingWriter struct {
	w        io.Writer
	replacer *strings.Replacer
}

func (m *maskingWriter) Write(line []byte) (int, error) {
	var out bytes.Buffer
	if _, err := m.replacer.WriteString(&out, string(line)); err != nil {
		return 0, err
	}
	if _, err := m.w.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(line), nil
}

// traced adds the trace id of the context, so that a line and a trace find each other.
type traced struct{ slog.Handler }

func (t traced) Handle(ctx context.Context, record slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		record.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	return t.Handler.Handle(ctx, record)
}

func (t traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{t.Handler.WithAttrs(attrs)} }
func (t traced) WithGroup(name string) slog.Handler       { return traced{t.Handler.WithGroup(name)} }
