package web

import (
	"net"
	"sync"
)

// sparing remembers the connections that have not asked for anything yet. Browsers open some to spare; the server counts those as busy
// until its read time is over, and a stop must not wait for that.
type sparing struct {
	net.Listener
	mu     sync.Mutex
	unused map[*spare]struct{}
	over   bool
}

func newSparing(l net.Listener) *sparing {
	return &sparing{Listener: l, unused: map[*spare]struct{}{}}
}

// spare is a connection until its first byte.
type spare struct {
	net.Conn
	once sync.Once
	of   *sparing
}

// Accept gives the next connection; after closeUnused there is none.
func (s *sparing) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		_ = c.Close() // it has not been promised anything
		return nil, net.ErrClosed
	}
	p := &spare{Conn: c, of: s}
	s.unused[p] = struct{}{}
	return p, nil
}

// closeUnused ends what nothing has been asked on. Who wanted to ask at this moment asks again elsewhere, as with every idle connection.
func (s *sparing) closeUnused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	for c := range s.unused {
		_ = c.Conn.Close() // closing again, by the server, is harmless
	}
	clear(s.unused)
}

// Read counts the connection as used with its first byte, or its end.
func (c *spare) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.once.Do(func() {
		c.of.mu.Lock()
		defer c.of.mu.Unlock()
		delete(c.of.unused, c)
	})
	return n, err
}
