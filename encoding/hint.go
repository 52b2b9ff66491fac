package encoding

// Hint remembers the form of a series' last block, so that the search starts there. The zero value means nothing is known. It
// may be lost at any time at the price of a longer search.
type Hint uint64

// SetHint has the encoder read and update h for the first column of the blocks that follow, until the next SetHint. Nil ends that.
func (e *Encoder) SetHint(h *Hint) { e.hint = h }
