package wire

import (
	"io"
	"net/http"
)

// body is the body of a request. It serves one goroutine at a time, until the request is answered.
type body struct {
	c      *conn
	left   int64 // bytes
	err    error // what reading ended with before all of it was there
	closed bool
}

// Read implements io.Reader. io.EOF comes with the last bytes.
func (b *body) Read(p []byte) (n int, err error) {
	switch {
	case b.closed:
		return 0, http.ErrBodyReadAfterClose
	case b.err != nil:
		return 0, b.err
	case b.left == 0:
		return 0, io.EOF
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err = b.c.in.Read(p)
	if b.left -= int64(n); b.left == 0 {
		b.c.watch.hear()
		return n, io.EOF
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	b.err = err
	return n, err
}

// Close implements io.Closer. What is left is read, or given up, after the answer.
func (b *body) Close() error {
	b.closed = true
	return nil
}
