package publish

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

const protocolFile = "file"

const (
	maxLine   = 8 << 20
	fileBatch = 5000 // lines that are stored together
)

// Read is what ReadFile has done with a file.
type Read struct {
	Lines   int64
	Stored  int64            // samples and events
	Refused map[string]int64 // by reason
	First   *Refusal         // nil: nothing was refused
	FirstAt int64            // the line of First, from 1
}

// ReadFile stores what a file of the file publisher has: in each line a sample or an event, as JSON or as Python's repr, in object form or
// message form, with recorded_at if it is known. Lines that cannot be read are refused and the rest goes on. progress, if it is not nil, is told how many bytes are
// done, now and then.
//
// Errors are those of reading and of the database; what was stored before stays, and Read says how much that is.
func (d *Doors) ReadFile(ctx context.Context, file io.Reader, progress func(bytes int64)) (Read, error) {
	out := Read{Refused: map[string]int64{}}
	in := d.intake(protocolFile, peerText(""), "")
	in.decoder.arrived = true
	lines := bufio.NewReaderSize(file, 256<<10)
	var line, json []byte
	var done int64
	store := func() error {
		err := in.finish(ctx, &out)
		if progress != nil {
			progress(done)
		}
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		var n int64
		var err error
		line, n, err = readLine(lines, line[:0])
		done += n
		if err != nil && err != io.EOF {
			return out, errors.Join(fmt.Errorf("line %d: %w", out.Lines+1, err), store())
		}
		if n > 0 {
			out.Lines++
			json = in.line(json[:0], line, n)
			if in.last != nil && out.First == nil {
				out.First, out.FirstAt = in.last, out.Lines
			}
		}
		if len(in.samples)+len(in.events) >= fileBatch || err == io.EOF {
			if storeErr := store(); storeErr != nil {
				return out, storeErr
			}
		}
		if err == io.EOF {
			return out, nil
		}
	}
}

// readLine reads a line into dst, of one that is too long only the beginning, and tells how many bytes it took.
func readLine(r *bufio.Reader, dst []byte) (line []byte, n int64, err error) {
	for {
		part, err := r.ReadSlice('\n')
		n += int64(len(part))
		if len(dst) <= maxLine {
			dst = append(dst, part...)
		}
		if err != bufio.ErrBufferFull {
			return dst, n, err
		}
	}
}

// line takes a line of n bytes, given room to spell it as JSON, which is returned to be used again.
func (in *intake) line(room, line []byte, n int64) []byte {
	line = bytes.TrimSpace(line)
	switch {
	case len(line) == 0:
		return room
	case n > maxLine:
		in.refuse(refuse(reasonLarge, "a line of %d bytes, the most is %d", n, maxLine), 1)
		return room
	}
	p := in.d.parsers.Get()
	defer in.d.parsers.Put(p)
	room = append(room, line...)
	v, err := p.ParseBytes(sayInf(room))
	if err != nil { // then it is Python, or nothing
		repr, rest, bad := appendRepr(room[:0], string(line), maxDepth)
		room = repr
		if bad == nil && rest != "" {
			bad = refuse(reasonFormat, "%s after the end of the value", quoted(rest))
		}
		if bad == nil {
			if v, err = p.ParseBytes(repr); err != nil {
				bad = refuse(reasonFormat, "%v", err)
			}
		}
		if bad != nil {
			in.refuse(bad, 1)
			return room
		}
	}
	in.element(v)
	return room
}
