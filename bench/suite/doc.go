// Package suite runs the targets on the sets and keeps what they show in a file of results.
//
// A run is rounds; in each, for every set and phase, the targets take turns, and who begins rotates. Each phase is a process of its own, the
// target's adapter, built once into the work directory. What fails, hangs or cannot start becomes a results.Missing with its last words, and
// the others go on. Answers are judged by those that the set itself gives. At the end come the goal parts, programs that measure the server
// and append to the same file.
//
// Everything a run leaves is below its work directory; stores are removed when they have served. Whatever a phase started ends with it, also
// processes that were left behind: the suite makes itself the parent of orphans (PR_SET_CHILD_SUBREAPER) and ends them. When the suite itself
// is killed, the kernel kills the phase (PR_SET_PDEATHSIG), and that its server. A process has one Run at a time, because after a phase it ends
// every descendant it has.
package suite
