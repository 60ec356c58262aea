package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

const mask = "********"

// Secret is a value that prints as a mask wherever it is formatted, logged or marshalled; only Reveal gives it away.
type Secret string

// Reveal is the value itself, for the one place that uses it.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// Format keeps %q, %#v and %x from reaching the characters.
func (s Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, s.String()) }

// LogValue masks the secret in structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText masks the secret in JSON and everything else that marshals text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the value as it stands.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

// Secrets lists the secret values that are set, for whatever must recognise them (the log's redaction). Of a connection
// string it is the password.
func (c Config) Secrets() []string {
	var values []string
	eachSecret(reflect.ValueOf(c), func(f Field, s Secret) {
		if f.Secret == "url" {
			values = append(values, s.Reveal())
			if u, err := url.Parse(s.Reveal()); err == nil && u.User != nil {
				values = append(values, passwords(u.User)...)
			}
			return
		}
		if f.Secret != "dsn" {
			values = append(values, trimmed(strings.Split(s.Reveal(), ","))...)
			return
		}
		if conn, err := pgconn.ParseConfig(s.Reveal()); err == nil && conn.Password != "" {
			values = append(values, conn.Password)
			if escaped := url.QueryEscape(conn.Password); escaped != conn.Password {
				values = append(values, escaped)
			}
		}
	})
	return values
}

// passwords are an address's password as it stands and as addresses spell it.
func passwords(user *url.Userinfo) []string {
	password, ok := user.Password()
	if !ok || password == "" {
		return nil
	}
	values := []string{password}
	if escaped := url.QueryEscape(password); escaped != password {
		values = append(values, escaped)
	}
	return values
}

// Show writes the effective values as NAME=value lines with secrets masked.
func (c Config) Show(w io.Writer) error { return show(w, reflect.ValueOf(c)) }

// Show writes the effective values of a dev build's own variables.
func (d Dev) Show(w io.Writer) error { return show(w, reflect.ValueOf(d)) }

func show(w io.Writer, v reflect.Value) error {
	for _, f := range fieldsOf(v.Type()) {
		if _, err := fmt.Fprintf(w, "%s=%s\n", f.Name, shown(f, v.FieldByIndex(f.index))); err != nil {
			return err
		}
	}
	return nil
}

func shown(f Field, v reflect.Value) string {
	switch value := v.Interface().(type) {
	case Secret:
		if f.Secret == "dsn" && value != "" {
			return connection(value.Reveal())
		}
		return value.String()
	case []string:
		return strings.Join(value, ",")
	default:
		return fmt.Sprint(value)
	}
}

// connection shows where a connection string leads, never its password.
func connection(dsn string) string {
	conn, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return mask
	}
	password := ""
	if conn.Password != "" {
		password = ":" + mask
	}
	return fmt.Sprintf("postgres://%s%s@%s:%d/%s", conn.User, password, conn.Host, conn.Port, conn.Database)
}

func eachSecret(v reflect.Value, visit func(Field, Secret)) {
	for _, f := range fieldsOf(v.Type()) {
		if s, ok := v.FieldByIndex(f.index).Interface().(Secret); ok && s != "" {
			visit(f, s)
		}
	}
}
