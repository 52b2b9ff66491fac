package encoding

// blockVersion is the version that AppendBlock writes and ParseBlock reads.
const blockVersion = 1

// Codecs of a value column: the low 4 bits of its form byte.
const (
	valuesConst    = 0 // one value
	valuesInts     = 1 // integers under a scale
	valuesSplit    = 2 // front bits by dictionary, rear bits as they are
	valuesXor      = 3 // differences in bits
	valuesDict     = 4 // few distinct values
	valuesLZ       = 5 // integers under a scale, as compressed byte planes
	valuesAlias    = 6 // equal to another column of the block
	valuesQuotient = 7 // one column of the block divided by another
)

// Presence of a value column: bits 4 and 5 of its form byte.
const (
	presentAll   = 0 // every row
	presentOwn   = 1 // a bitmap follows
	presentAlias = 2 // as in an earlier column, whose number follows
)
