/** The style of the status page: the reader's own font, light or dark, and one column that fits a phone. */
export const STYLE = `:root {
  color-scheme: light dark;
  --text: #1b1f24; --soft: #57606a; --line: #d0d7de; --back: #ffffff; --card: #f6f8fa;
  --good: #1a7f37; --fair: #9a6700; --bad: #cf222e; --none: #afb8c1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6edf3; --soft: #9ba5b0; --line: #30363d; --back: #0d1117; --card: #161b22;
    --good: #3fb950; --fair: #d29922; --bad: #ff7b72; --none: #484f58;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main, header, footer { max-width: 46rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.35rem; margin: 0 0 1rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; }
a { color: inherit; }
p { margin: .25rem 0; }
.state { border: 1px solid var(--line); border-left: .4rem solid var(--none); border-radius: .4rem; background: var(--card); padding: .75rem 1rem; }
.state strong { font-size: 1.15rem; }
.state.ok { border-left-color: var(--good); }
.state.degraded, .state.maintenance { border-left-color: var(--fair); }
.state.unavailable { border-left-color: var(--bad); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1rem 0; }
dl div { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .75rem; }
dt, .soft, footer { color: var(--soft); font-size: .875rem; font-weight: 400; }
dd { margin: 0; font-weight: 600; }
.bars { display: block; width: 100%; height: 2.5rem; }
.bars .good { fill: var(--good); } .bars .fair { fill: var(--fair); } .bars .bad { fill: var(--bad); } .bars .none { fill: var(--none); }
.ends { display: flex; justify-content: space-between; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; padding: .35rem .5rem .35rem 0; border-top: 1px solid var(--line); vertical-align: top; }
article { border: 1px solid var(--line); border-radius: .4rem; padding: .75rem 1rem; margin: .5rem 0; }
article ol { list-style: none; margin: .5rem 0 0; padding: 0; }
article li { border-top: 1px solid var(--line); padding: .4rem 0; overflow-wrap: anywhere; white-space: pre-line; }
summary { cursor: pointer; color: var(--soft); font-size: .875rem; }
footer { padding-top: 2rem; padding-bottom: 2rem; }
`;
