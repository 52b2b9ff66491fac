// Package report shows what runs have left in their files of results: as tables on a terminal, as Markdown, and as one HTML page that
// needs nothing besides itself.
//
// Load reads files into a Report, whose Terminal, Markdown, HTML and Headline write it. Build, which they all go through, makes the
// sections: what stands out, where and how the run was made, every set's figures side by side, goals, cost as work grows, notes. Compare sets two runs
// side by side. Command and CompareCommand are the sub-commands of bench that do these.
//
// Of several rounds the best counts, because disturbance only ever adds. A target that answers otherwise than the others is flagged, and no
// figure of that question is taken for the best. Stores that are linked in are compared with each other, and servers with servers.
package report
