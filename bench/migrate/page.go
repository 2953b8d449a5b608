package main

import (
	"fmt"
	"html"
	"strings"
)

const pageHead = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Migration of a guest at work</title>
<style>
:root{--ink:#222;--faint:#666;--rule:#ccc;--band:#f0f0ee;--ground:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#ddd;--faint:#aaa;--rule:#444;--band:#26282c;--ground:#17181b}}
body{margin:2.5rem auto;max-width:62rem;padding:0 1.25rem;background:var(--ground);color:var(--ink);font:16px/1.5 Georgia,"Liberation Serif",serif}
h1{font-size:1.9rem;margin-bottom:.3rem}h2{font-size:1.25rem;margin-top:2.6rem}h3{font-size:1rem;margin:1.6rem 0 .4rem}
li,.note{color:var(--faint);font-size:.9rem}
figure{margin:1.6rem 0}svg{width:100%;height:auto}
.wide{overflow-x:auto}
table{border-collapse:collapse;font:12px/1.45 "Helvetica Neue",Arial,"Liberation Sans",sans-serif;font-variant-numeric:tabular-nums;white-space:nowrap}
th,td{padding:.18rem .55rem;text-align:right}th{font-weight:600;border-bottom:1.5px solid var(--ink);vertical-align:bottom;white-space:normal}
th:first-child,td:first-child{text-align:left}td{border-bottom:1px solid var(--rule)}
tr.ours td{background:var(--band);font-weight:600}td small{color:var(--faint);font-weight:400}
</style>
<h1>Migration of a guest at work</h1>
`

// page returns the report as a page that needs no other file.
func (r *results) page() string {
	var out strings.Builder
	out.WriteString(pageHead + "<ul>\n")
	for _, line := range r.preface() {
		fmt.Fprintf(&out, "<li>%s</li>\n", html.EscapeString(line))
	}
	out.WriteString("</ul>\n")
	for _, p := range r.plots() {
		fmt.Fprintf(&out, "<figure>\n%s</figure>\n", p.svg)
	}
	for _, workload := range r.workloads() {
		fmt.Fprintf(&out, "<h2>%s</h2>\n", html.EscapeString(workload))
		for _, link := range r.links(workload) {
			fmt.Fprintf(&out, "<h3>%s</h3>\n", link)
			r.table(workload, link).html(&out)
		}
	}
	for _, c := range r.comparisons() {
		fmt.Fprintf(&out, "<h2>%s</h2>\n", html.EscapeString(c.title))
		c.table.html(&out)
		if c.note != "" {
			fmt.Fprintf(&out, "<p class=\"note\">%s</p>\n", html.EscapeString(c.note))
		}
	}
	out.WriteString("</html>\n")
	return out.String()
}

// html writes the table; what is in brackets is made small.
func (t *table) html(out *strings.Builder) {
	out.WriteString("<div class=\"wide\"><table>\n<tr>")
	for _, name := range t.head {
		fmt.Fprintf(out, "<th>%s</th>", html.EscapeString(name))
	}
	out.WriteString("</tr>\n")
	for _, row := range t.rows {
		if ours(row[0]) {
			out.WriteString(`<tr class="ours">`)
		} else {
			out.WriteString("<tr>")
		}
		for _, text := range row {
			text, bracket, found := strings.Cut(text, " (")
			fmt.Fprintf(out, "<td>%s", html.EscapeString(text))
			if found {
				fmt.Fprintf(out, " <small>(%s</small>", html.EscapeString(bracket))
			}
			out.WriteString("</td>")
		}
		out.WriteString("</tr>\n")
	}
	out.WriteString("</table></div>\n")
}
