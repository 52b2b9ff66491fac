package simplequery

import "strconv"

// Error says what is wrong with a request; the status is 400. Its text goes to the client as it is.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

// Invalid is the error of a field or argument that has a value it must not have.
func Invalid(name, value, reason string) *Error {
	return &Error{"Invalid input for field/attribute " + name + ". Value: '" + value + "'. " + reason}
}

// UnknownArgument is the error of an argument that a resource does not take.
func UnknownArgument(name string) *Error { return &Error{"Unknown argument: " + strconv.Quote(name)} }
