package awssim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"slipway/models/blueprint"
)

// Templates are large and many stacks have the same: the database keeps each once, by its
// digest, and a process keeps the last ones it met as they are and read.

const templatesKept = 200

// templates are what this process has met; both maps are emptied when they are full.
var templates = struct {
	sync.Mutex
	texts map[string]string // by digest
	read  map[string]*readTemplate
}{texts: map[string]string{}, read: map[string]*readTemplate{}}

// readTemplate is a template read and checked, once. Nobody changes it afterwards.
type readTemplate struct {
	t       *blueprint.Template
	err     error
	once    sync.Once
	checked []blueprint.Problem
}

// readText reads a template, or remembers it.
func readText(text string) (*readTemplate, error) {
	templates.Lock()
	defer templates.Unlock()
	r, ok := templates.read[text]
	if !ok {
		r = &readTemplate{}
		r.t, r.err = blueprint.Parse([]byte(text))
		if len(templates.read) >= templatesKept {
			clear(templates.read)
		}
		templates.read[text] = r
	}
	return r, r.err
}

// problems are the errors of a template.
func (r *readTemplate) problems() []blueprint.Problem {
	r.once.Do(func() { r.checked = blueprint.Errors(r.t.Check()) })
	return r.checked
}

// template reads what a definition is made from.
func (d *cfnDefinition) template() (*blueprint.Template, error) {
	r, err := readText(d.Template)
	if err != nil {
		return nil, err
	}
	return r.t, nil
}

func remember(digest, text string) {
	templates.Lock()
	defer templates.Unlock()
	if len(templates.texts) >= templatesKept {
		clear(templates.texts)
	}
	templates.texts[digest] = text
}

// keepTemplate stores a definition's template once for all.
func (c *Call) keepTemplate(ctx context.Context, d *cfnDefinition) error {
	if d == nil || d.Template == "" || d.Digest != "" {
		return nil
	}
	sum := sha256.Sum256([]byte(d.Template))
	d.Digest = hex.EncodeToString(sum[:])
	if _, err := c.Tx.Exec(ctx, `INSERT INTO templates (digest, body) VALUES ($1, $2) ON CONFLICT DO NOTHING`, d.Digest, d.Template); err != nil {
		return fmt.Errorf("keep a template: %w", err)
	}
	remember(d.Digest, d.Template)
	return nil
}

// fetchTemplate gives a definition its template back.
func (c *Call) fetchTemplate(ctx context.Context, d *cfnDefinition) error {
	if d == nil || d.Digest == "" || d.Template != "" {
		return nil
	}
	templates.Lock()
	text, ok := templates.texts[d.Digest]
	templates.Unlock()
	if !ok {
		if err := c.Tx.QueryRow(ctx, `SELECT body FROM templates WHERE digest = $1`, d.Digest).Scan(&text); err != nil {
			return fmt.Errorf("read template %s: %w", d.Digest, err)
		}
		remember(d.Digest, text)
	}
	d.Template = text
	return nil
}
