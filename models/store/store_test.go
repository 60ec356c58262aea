package store

import (
	"context"
	"regexp"
	"testing"

	"slipway/dev/postgres/pgtest"
	"slipway/models"
)

// open gives a store on a database of its own, and the owner's address of that database.
func open(t testing.TB, change ...func(*Options)) (*Store, string) {
	t.Helper()
	ownerURL, appURL := pgtest.Database(t, Migrate)
	return openAt(t, appURL, change...), ownerURL
}

func openAt(t testing.TB, url string, change ...func(*Options)) *Store {
	t.Helper()
	opt := Options{
		URL: url, Connections: 10, Clock: &models.ShiftedClock{}, GroupPattern: regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,62}$`),
		AdminGroups: []string{"platform-admins"}, AccountEmail: "aws+{tenant}-{class}-{n}@example.com",
	}
	for _, c := range change {
		c(&opt)
	}
	s, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}
