package ferret

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
)

// Scripted is a server of MongoDB's protocol whose answers are the test's, for what FerretDB does not know and for servers that are broken. It
// notes what it is asked.
type Scripted struct {
	URI    string
	answer func(command string, asked bson.M) bson.D
	wire   int // highest version of the protocol that it says it speaks

	mu    sync.Mutex
	asked []bson.M
}

// Versions of the protocol, of the server's versions.
const (
	Wire34 = 5
	Wire36 = 6
	Wire50 = 13
)

const (
	headerBytes  = 16
	longestAsked = 48 << 20
	opReply      = 1
	opQuery      = 2004
	opMsg        = 2013
)

// Script runs a server on loopback until the test ends. It greets clients by itself and has no collections; answer says what the others of their commands get, nil
// being no answer at all. A document without "ok" gets it.
func Script(t testing.TB, wire int, answer func(command string, asked bson.M) bson.D) *Scripted {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Scripted{URI: "mongodb://" + l.Addr().String() + "/", answer: answer, wire: wire}
	var open sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		open.Wait()
	})
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for s.serve(c) == nil {
				}
			}()
		}
	})
	return s
}

// Asked gives the commands of that name, in the order they came.
func (s *Scripted) Asked(command string) (out []bson.M) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if _, ok := a[command]; ok {
			out = append(out, a)
		}
	}
	return out
}

// serve answers one message.
func (s *Scripted) serve(c net.Conn) error {
	var header [headerBytes]byte
	if _, err := io.ReadFull(c, header[:]); err != nil {
		return err
	}
	n := int(binary.LittleEndian.Uint32(header[:])) - headerBytes
	if n < 0 || n > longestAsked {
		return errors.New("no message")
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(c, body); err != nil {
		return err
	}
	op := binary.LittleEndian.Uint32(header[12:])
	name, asked, err := parse(op, body)
	if err != nil {
		return err
	}
	doc := s.reply(name, asked)
	if doc == nil {
		return nil
	}
	raw, err := bson.Marshal(doc)
	if err != nil {
		return err
	}
	_, err = c.Write(envelope(op, header[4:8], raw))
	return err
}

func (s *Scripted) reply(name string, asked bson.M) bson.D {
	switch name {
	case "hello", "isMaster", "ismaster":
		return bson.D{{Key: "ismaster", Value: true}, {Key: "isWritablePrimary", Value: true}, {Key: "helloOk", Value: true},
			{Key: "minWireVersion", Value: 0}, {Key: "maxWireVersion", Value: s.wire}, {Key: "maxBsonObjectSize", Value: 16 << 20},
			{Key: "maxMessageSizeBytes", Value: longestAsked}, {Key: "maxWriteBatchSize", Value: 100_000}, {Key: "ok", Value: 1.0}}
	}
	if name == "listIndexes" {
		return bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: 26}, {Key: "codeName", Value: "NamespaceNotFound"}, {Key: "errmsg", Value: "no collection"}}
	}
	s.mu.Lock()
	s.asked = append(s.asked, asked)
	s.mu.Unlock()
	doc := s.answer(name, asked)
	if doc == nil {
		return nil
	}
	for _, e := range doc {
		if e.Key == "ok" {
			return doc
		}
	}
	return append(doc, bson.E{Key: "ok", Value: 1.0})
}

// parse reads the command of a message, sequences of documents put into it as arrays. The first key is the command's name.
func parse(op uint32, body []byte) (name string, asked bson.M, err error) {
	errShort := errors.New("short message")
	document := func(at int) (bson.Raw, int) {
		if at+4 > len(body) {
			return nil, len(body)
		}
		end := at + int(binary.LittleEndian.Uint32(body[at:]))
		if end < at || end > len(body) {
			return nil, len(body)
		}
		return bson.Raw(body[at:end]), end
	}
	at := 4 // behind the flags
	if op == opQuery {
		for at < len(body) && body[at] != 0 {
			at++
		}
		raw, _ := document(at + 1 + 8)
		return command(raw, nil)
	}
	var main bson.Raw
	sequences := bson.M{}
	for at < len(body) {
		kind := body[at]
		at++
		if kind == 0 {
			main, at = document(at)
			continue
		}
		if at+4 > len(body) {
			return "", nil, errShort
		}
		end := at + int(binary.LittleEndian.Uint32(body[at:]))
		at += 4
		from := at
		for at < len(body) && body[at] != 0 {
			at++
		}
		key, docs := string(body[from:at]), bson.A{}
		for at++; at < end && at < len(body); {
			var raw bson.Raw
			raw, at = document(at)
			docs = append(docs, raw)
		}
		sequences[key] = docs
	}
	return command(main, sequences)
}

func command(raw bson.Raw, sequences bson.M) (name string, asked bson.M, err error) {
	elements, err := raw.Elements()
	if err != nil || len(elements) == 0 {
		return "", nil, errors.New("no command")
	}
	if err := bson.Unmarshal(raw, &asked); err != nil {
		return "", nil, err
	}
	for k, v := range sequences {
		asked[k] = v
	}
	return elements[0].Key(), asked, nil
}

// envelope makes the message that answers one of kind op.
func envelope(op uint32, request, raw []byte) []byte {
	out := append(make([]byte, 8), request...) // length and number are set below; the answer names the request
	if op == opQuery {
		out = binary.LittleEndian.AppendUint32(out, opReply)
		out = append(out, make([]byte, 4+8+4)...) // flags, no cursor, from the first
		out = binary.LittleEndian.AppendUint32(out, 1)
	} else {
		out = binary.LittleEndian.AppendUint32(out, opMsg)
		out = append(out, 0, 0, 0, 0, 0) // flags, and a section of one document
	}
	out = append(out, raw...)
	binary.LittleEndian.PutUint32(out, uint32(len(out)))
	return out
}
