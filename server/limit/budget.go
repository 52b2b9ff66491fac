package limit

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// ErrBusy: there is no room for the request now.
var ErrBusy = errors.New("the server is busy: try again")

// ErrLarge: the request takes more than there is for all requests together.
var ErrLarge = errors.New("the request takes more memory than there may be for all of them")

// Budget is memory that requests share. A nil Budget has no bound.
type Budget struct {
	bytes  int64
	used   atomic.Int64
	whole  *Budget // what this is a client's share of; nil: of nothing
	client string
}

// NewBudget gives a budget of so many bytes.
func NewBudget(bytes int64) *Budget { return &Budget{bytes: bytes} }

// Used tells how many bytes are taken.
func (b *Budget) Used() int64 {
	if b == nil {
		return 0
	}
	return b.used.Load()
}

// share gives the budget of a client, which may have so many bytes of this one.
func (b *Budget) share(bytes int64, client string) *Budget {
	if b == nil || bytes >= b.bytes {
		return b
	}
	return &Budget{bytes: bytes, whole: b, client: client}
}

// most is what one request may take at most.
func (b *Budget) most() int64 {
	if b.whole != nil {
		return b.whole.bytes
	}
	return b.bytes
}

// take takes n bytes more for a request that has some already, or gives ErrBusy. A client's only request may have more than its share.
func (b *Budget) take(n, has int64) error {
	if b == nil {
		return nil
	}
	used := b.used.Add(n)
	var err error
	switch {
	case b.whole == nil && used > b.bytes:
		err = fmt.Errorf("%w: the bodies of the requests under way take %d bytes, the most there may be", ErrBusy, b.bytes)
	case b.whole != nil && used > b.bytes && used-n > has:
		err = &ShareError{Client: b.client, Detail: fmt.Sprintf("requests under way whose bodies take %d bytes of %d", used-n, b.bytes)}
	case b.whole != nil:
		err = b.whole.take(n, has)
	}
	if err != nil {
		b.used.Add(-n)
	}
	return err
}

func (b *Budget) give(n int64) {
	for ; b != nil; b = b.whole {
		b.used.Add(-n)
	}
}

// step is how much more a Reader takes when what it has is used up.
const step = 64 << 10

// Reader reads from another reader and takes from a budget what it has read, ahead of reading it. Release gives it back.
type Reader struct {
	src         io.Reader
	budget      *Budget
	taken, free int64 // bytes
}

// NewReader gives a Reader of src. Of expected bytes, known beforehand, it makes sure at once: ErrBusy.
func NewReader(src io.Reader, b *Budget, expected int64) (*Reader, error) {
	r := &Reader{src: src, budget: b}
	if err := r.grow(max(expected, 0)); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Reader) grow(n int64) error {
	if err := r.budget.take(n, r.taken); err != nil {
		return err
	}
	r.taken += n
	r.free += n
	return nil
}

// Read implements io.Reader. ErrBusy: the budget has no room for more.
func (r *Reader) Read(p []byte) (int, error) {
	if r.free == 0 {
		if err := r.grow(step); err != nil {
			return 0, err
		}
	}
	n, err := r.src.Read(p[:min(int64(len(p)), r.free)])
	r.free -= int64(n)
	return n, err
}

// Grow takes n more bytes for what is made of what was read. ErrBusy: there is no room for them now; ErrLarge: there never is.
func (r *Reader) Grow(n int64) error {
	if r.budget != nil && r.taken+n > r.budget.most() {
		return fmt.Errorf("%w: %d bytes of %d", ErrLarge, r.taken+n, r.budget.most())
	}
	if err := r.budget.take(n, r.taken); err != nil {
		return err
	}
	r.taken += n
	return nil
}

// Release gives back what the reader took. It may be called more than once.
func (r *Reader) Release() {
	r.budget.give(r.taken)
	r.taken, r.free = 0, 0
}
