package main

import (
	"strconv"
	"strings"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

// escaper writes a tag's value as the line protocol has it.
var escaper = strings.NewReplacer(",", `\,`, "=", `\=`, " ", `\ `)

// lineStart is what all lines of a series begin with. Tags come in the order of their names, as the server likes it.
func lineStart(one dataset.Series) string {
	var b strings.Builder
	b.WriteString("sample")
	for _, tag := range [][2]string{{"group", one.Group}, {"host", one.Host}, {"meter", one.Metric}, {"project", one.Project}, {"resource", one.Resource}} {
		if tag[1] != "" { // the protocol has no empty values
			b.WriteString("," + tag[0] + "=" + escaper.Replace(tag[1]))
		}
	}
	return b.String() + " value="
}

func appendLine(dst []byte, start string, x dataset.Sample) []byte {
	dst = strconv.AppendFloat(append(dst, start...), x.Value, 'g', -1, 64)
	return append(strconv.AppendInt(append(dst, ' '), x.Millis, 10), '\n')
}

// tagBytes adds up the lengths of the tags' values in a series key, which is a line's beginning.
func tagBytes(key string) (n int) {
	value := false
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case c == '\\' && i+1 < len(key) && strings.IndexByte(", =", key[i+1]) >= 0:
			i++
			if value {
				n++
			}
		case c == ',':
			value = false
		case c == '=' && !value:
			value = true
		case value:
			n++
		}
	}
	return n
}

// text is a string of InfluxQL.
func text(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(s) + "'"
}
