package encoding
import ("testing";"os";"fmt";"path/filepath";"sort")
func formOf(src []byte) string {
	b,_ := ParseBlock(src); c,_ := b.column(0)
	s := codecNames[c.codec]
	if c.codec==valuesInts||c.codec==valuesLZ { sc,f,o,_ := parseScale(c.payload,0); k:=c.payload[o]&3; if f&intsExceptions!=0 {k=9}; s+=fmt.Sprintf(" kind%d scale%d ulps%v",k, sc.kind, f&intsUlps!=0) 
	 if f&intsExceptions!=0 { s+=" exc" } }
	return s
}
func TestDbg(t *testing.T) {
	root := os.Getenv("PEERDATA"); if root=="" {return}
	set := os.Getenv("PEERSETS")
	classes, blocks, _ := peerBlocks(filepath.Join(root,set), 1024, 1000000)
	for _, c := range classes {
		if x:=os.Getenv("CLASS"); x!="" && x!=c {continue}
		type st struct{n,f,c int}
		m := map[string]*st{}
		for _, p := range blocks[c] {
			var e Encoder
			a := e.AppendBlock(nil,p.ts,[]Column{{Values:p.vs}},Fast)
			b := e.AppendBlock(nil,p.ts,[]Column{{Values:p.vs}},Cold)
			k := fmt.Sprintf("%-40s -> %s", formOf(a), formOf(b))
			if m[k]==nil {m[k]=&st{}}
			m[k].n++; m[k].f+=len(a); m[k].c+=len(b)
		}
		var ks []string
		for k := range m {ks=append(ks,k)}
		sort.Slice(ks,func(i,j int)bool{return m[ks[i]].f-m[ks[i]].c>m[ks[j]].f-m[ks[j]].c})
		fmt.Println(c)
		for _,k := range ks[:min(12,len(ks))] { s:=m[k]; fmt.Printf("  %4d %.3f -> %.3f  %s\n", s.n, float64(s.f)/float64(s.n*1024), float64(s.c)/float64(s.n*1024), k) }
	}
}
