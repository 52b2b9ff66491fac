package target

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const clockTicks = 100 // of /proc/PID/stat a second, on every Linux that Go supports

// process is one line of what runs.
type process struct {
	pid, parent int
	cpu         float64 // seconds, with those of its children that it has waited for
}

// processTree is the named processes and all below them that run now.
func processTree(roots []int) (tree []process) {
	if len(roots) == 0 {
		return nil
	}
	all := map[int][]process{} // by parent
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		one, ok := parseStat(string(text))
		if !ok {
			continue
		}
		if slices.Contains(roots, one.pid) {
			tree = append(tree, one)
		} else {
			all[one.parent] = append(all[one.parent], one)
		}
	}
	for i := 0; i < len(tree); i++ { // grows while it is walked
		tree = append(tree, all[tree[i].pid]...)
	}
	return tree
}

// parseStat reads /proc/PID/stat. The command's name may hold blanks, so fields are counted from behind it.
func parseStat(text string) (p process, ok bool) {
	end := strings.LastIndexByte(text, ')')
	pid, _, found := strings.Cut(text, " ")
	if end < 0 || !found {
		return p, false
	}
	f := strings.Fields(text[end+1:])
	if len(f) < 15 {
		return p, false
	}
	p.pid, _ = strconv.Atoi(pid)
	p.parent, _ = strconv.Atoi(f[1])
	for _, ticks := range f[11:15] { // user and system time, own and of ended children
		n, _ := strconv.ParseFloat(ticks, 64)
		p.cpu += n / clockTicks
	}
	return p, p.pid > 0
}
