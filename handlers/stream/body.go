package stream

import (
	"io"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Send makes r the response's body and lets it take as long as it gives a sign of life: the server's write timeout counts
// from the last read, not from the first. An error of r closes the connection without the last chunk, so that a client
// can tell a cut answer from a whole one. r is closed when the client has left or all was sent.
func Send(c *fiber.Ctx, r io.ReadCloser, write time.Duration) {
	c.Context().SetBodyStream(&body{r: r, conn: c.Context().Conn(), write: write}, -1)
}

type body struct {
	r     io.ReadCloser
	conn  net.Conn
	write time.Duration
}

// Read gives the server the next bytes and the time to write them.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if n > 0 {
		if e := b.conn.SetWriteDeadline(time.Now().Add(b.write)); e != nil && err == nil {
			err = e
		}
	}
	return n, err
}

// Close tells the writer that nobody reads any more.
func (b *body) Close() error { return b.r.Close() }
