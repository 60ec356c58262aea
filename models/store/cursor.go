package store

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
)

// cursor is where a page begins or ends: the sort it belongs to, the sorted value and the row's id.
type cursor struct {
	Sort  string `json:"s"`
	Value string `json:"v"`
	ID    string `json:"i"`
}

func (c cursor) String() string {
	b, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

var errCursor = models.Errorf(models.Invalid, "This page of the list does not exist. Start again at its beginning.")

func parseCursor(text, sort string, col column) (cursor, error) {
	var c cursor
	if len(text) > 2000 {
		return c, errCursor
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(b, &c) != nil || c.Sort != sort || !models.ValidID(c.ID) || strings.ContainsRune(c.Value, 0) {
		return c, errCursor
	}
	switch col.kind {
	case "numeric":
		_, err = decimal.NewFromString(c.Value)
	case "integer":
		_, err = strconv.ParseInt(c.Value, 10, 32)
	case "timestamptz":
		if c.Value == "infinity" || c.Value == "-infinity" { // of what never ends, or has not begun
			return c, nil
		}
		_, err = time.Parse("2006-01-02 15:04:05.999999-07", c.Value)
	}
	if err != nil || len(c.Value) > 500 {
		return c, errCursor
	}
	return c, nil
}
