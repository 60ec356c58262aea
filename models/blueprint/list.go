package blueprint

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Stored is a version in the database, without its template.
type Stored struct {
	Name, Version, Digest string
	Meta                  Meta
	FirstSeen             time.Time
}

// Found is a folder as the last load of its origin reported it.
type Found struct {
	Origin        Origin
	Name, Version string
	Digest        string // empty when nothing could be read
	Problems      []Problem
	Checks        []Check
}

// List puts together what is stored, what was found and what is hidden: blueprints by title, versions newest first.
func List(stored []Stored, found []Found, hidden []HiddenEntry) []Listing {
	all := map[string]*Listed{} // by Ref
	of := func(name, version string) *Listed {
		key := Ref(name, version)
		if all[key] == nil {
			all[key] = &Listed{Name: name, Version: version}
		}
		return all[key]
	}
	for _, s := range stored {
		l := of(s.Name, s.Version)
		l.Digest, l.Meta, l.FirstSeen = s.Digest, s.Meta, s.FirstSeen
	}
	for _, f := range found {
		of(f.Name, f.Version).takes(f)
	}
	byName := map[string]*Listing{}
	for _, l := range all {
		l.decide(hidden)
		if byName[l.Name] == nil {
			byName[l.Name] = &Listing{Name: l.Name}
		}
		byName[l.Name].Versions = append(byName[l.Name].Versions, *l)
	}
	out := make([]Listing, 0, len(byName))
	for _, b := range byName {
		b.sum()
		out = append(out, *b)
	}
	slices.SortFunc(out, func(a, b Listing) int {
		return cmp.Or(cmp.Compare(place(a.Meta.Kind), place(b.Meta.Kind)), cmp.Compare(strings.ToLower(a.Meta.Title), strings.ToLower(b.Meta.Title)), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// place is a kind's in the catalogue; what has none comes last.
func place(k Kind) int {
	if i := slices.Index(Kinds(), k); i >= 0 {
		return i
	}
	return len(Kinds())
}

// takes adds what was found of the version. A folder with the stored content decides; others only report.
func (l *Listed) takes(f Found) {
	same := f.Digest != "" && f.Digest == l.Digest
	if same && (l.Origin == "" || f.Origin == Shipped) {
		l.Origin, l.Checks = f.Origin, f.Checks
	}
	if l.Digest == "" {
		l.Origin, l.Checks = f.Origin, f.Checks
	}
	l.Problems = append(l.Problems, f.Problems...)
	l.broken = l.broken || same && len(Errors(f.Problems)) > 0
	l.found = true
}

// decide says what may be done with the version: what is wrong first, then what somebody decided.
func (l *Listed) decide(hidden []HiddenEntry) {
	i := slices.IndexFunc(hidden, func(h HiddenEntry) bool { return h.Name == l.Name && (h.Version == "" || h.Version == l.Version) })
	errs := len(Errors(l.Problems)) > 0
	switch {
	case l.Digest == "" || l.broken:
		l.State, l.Reason = Refused, "Its folder was refused; the problems say why."
	case !l.found:
		l.State, l.Reason = Withdrawn, "Its folder is gone. What was made of it lives on."
	case i >= 0:
		l.State, l.Reason = Hidden, hidden[i].Reason
	case l.Meta.Deprecated != "":
		l.State, l.Reason = Deprecated, strings.TrimSpace(l.Meta.Deprecated)
	default:
		l.State = Offered
	}
	if errs && l.State != Refused {
		l.Reason = strings.TrimSpace(l.Reason + " Its folder holds something else now, which was refused; the version that was read first stays.")
	}
}

// sum sorts the versions and says what stands for all of them.
func (b *Listing) sum() {
	slices.SortFunc(b.Versions, func(x, y Listed) int { return CompareVersions(y.Version, x.Version) })
	b.State = b.Versions[0].State
	for _, state := range []State{Offered, Deprecated, Hidden, Withdrawn, Refused} {
		i := slices.IndexFunc(b.Versions, func(v Listed) bool { return v.State == state })
		if i >= 0 {
			b.State, b.Meta = state, b.Versions[i].Meta
			return
		}
	}
}
