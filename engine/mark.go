package engine

// mark is a text that a batch leaves in the catalogue, in the same commit as its samples.
type mark struct{ name, text string }

// SetMark leaves a text under a name in the database, stored with the samples of the batch or not at all, in place of the one that is
// there: who copies samples from somewhere says in it how far the copy is, and after a crash DB.Mark says so truly. A batch
// without samples leaves no mark.
func (b *Batch) SetMark(name, text string) { b.mark = mark{name, text} }

// SetMark is Batch.SetMark for a change of the catalogue.
func (tx *Tx) SetMark(name, text string) error {
	return tx.batch.Set(markKey(name), appendMark(text), nil)
}

func appendMark(text string) []byte { return endRecord(appendText(beginRecord(nil), text), 0) }

func markKey(name string) []byte { return append([]byte{keyMeta, metaMark}, name...) }

func (m *mark) set(wb *writeBatch) error {
	if m.name == "" {
		return nil
	}
	return wb.Set(markKey(m.name), appendMark(m.text), nil)
}

func decodeMark(rec []byte) (string, error) {
	r := openRecord(rec)
	text := r.text("mark")
	return text, r.close()
}

// Mark returns the text that the last batch with a mark of this name left, and whether there was one.
func (db *DB) Mark(name string) (text string, ok bool, err error) {
	if err := db.begin(); err != nil {
		return "", false, err
	}
	defer db.end()
	ok, err = getRecord(db.p, markKey(name), func(rec []byte) (err error) {
		text, err = decodeMark(rec)
		return err
	})
	return text, ok, err
}
