// Package familiar recognizes in bodies of JSON what came before. Those who publish send the same over and over: of a sample of a kilobyte
// nothing is new but a time and a number. List, Object, Scalar and Value find where values are, without making anything of them, and a Memo
// remembers what a decoder made of the text of a value.
//
//	whole := familiar.List(body, func(rest []byte) int { return familiar.Object(rest, field) })
//	made, ok := memo.Get(text)
//
// What is found counts only of texts that a parser takes: for these the ends are right; whether a text is JSON the functions do not say,
// unless what they are made of does. Two texts that are equal byte by byte mean the same, so what a decoder makes of one it makes of the
// other. That a memo is filled only with what was parsed is the caller's care.
//
// Nothing is kept of arguments, but for the values that a memo is given. A Memo's methods may be called concurrently; the functions have no
// state.
package familiar
