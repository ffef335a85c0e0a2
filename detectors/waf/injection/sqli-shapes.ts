/**
 * What attacks look like by their grammar, as patterns over fingerprints (`sql-token.ts` names the letters). A shape says
 * that a value ends the expression it was put into and goes on with one of the things an attacker has in mind; it holds
 * for values that nobody has written yet, where the learned set holds for those that were seen.
 */

/** What the value was put behind: a value of its own or the rest of a string, and brackets that it closes. */
const opening = '^(?:[1sv]|n|[1svn]\\)|f\\([^)]?\\))';

const shapes: readonly string[] = [
  // A comment that no honest client writes, as `/*! … */`.
  '^X$',
  // UNION SELECT with what is selected; after two barewords it may be prose, after a sign a path.
  '^(?![o?:]|nn|[nk]k).{0,3}U(?:E(?:[1svf(,oB;&kcE]|n[,k(;.co1&B]|$)|\\([E(])',
  '^(?:[1sv]|.?\\))&?.?U[E(]',
  '^.?U\\(',
  // A second statement.
  '^(?:[1sv]|[1svn]\\))?\\)?;(?:E[1svf(cET]|En[sv(c;,.k]|Ek[nt]|T[1svfEtT(;c]|Tn[s(.;,tk1]|Tk[n1sc]|T$)',
  '^(?:.{1,3}&.{0,3});[ET]',
  // One more condition.
  `${opening}&(?:1$|1[oc;)U,&]|v$|v[oc);]|s[o&c,)]|s$|n[oc])`,
  `${opening}&(?:f\\(|\\(?E|\\(\\(|\\(f|\\(1|\\(s|\\(v|\\(n[o)]|of|o\\(|f$|1[Bk])`,
  `${opening}&.{0,2}B`,
  // A subquery in an expression; `colour (select one)` is none.
  '[o&f,(]\\(E[1svf(o]',
  '^[1sv]\\)?[o,]\\(E',
  '^(?:[1sv]|[1svn]\\)),(?:f\\(|\\(f|\\(E)|^n,f\\([1fE]|^n,\\(f',
  '^1o(?:f\\([fs(E]|\\(f)',
  // What follows a closed string: arithmetic with a call or a subquery, a comparison.
  '^s\\)?o(?:f\\(|\\(?E|\\([1svf]|[1sv]o|[1vsn]c|no[1sv]|[1v]&|s&|n&[1sv(f])',
  '^(?:s|1|1\\)|s\\))f\\(',
  '^sos$',
  // Sorting and grouping, where a comment or another clause follows, or a number is what it sorts by.
  '^(?:[1sv]|[1svn]\\))B(?:1$|1k|[1nsv][cUBo,&]|f\\(|\\([^n]|n$)',
  // A query as a whole.
  '^E[1svf(&)o]{3}',
  '^sE(?:[vf(]|[s1][;TEc,])',
  '^[1s]\\)?T(?:[nTvkEf(]|$)',
  '^[1sv]\\)?k\\)?(?:[s(f]|$)',
  '^E(?:okn|of|f\\(|\\(E|\\(f|[1sv]k[nf(]|[sv]$|[1sv][,UBc;]|n,f)',
  // A call as a whole, `f(1)` and `f(f(`.
  '^f\\((?:[1sv]\\)|\\)$|f\\(|E|[1svn],)',
  // The rest of the query is cut away.
  '^(?:[1nv]|[1svn]\\)|s)\\)?;?c$',
  '^[^nkt?.:,]*\\)c$',
];

const anyShape = new RegExp(shapes.join('|'));

/** True when a fingerprint has the grammar of an attack. */
export function hasAttackShape(fingerprint: string): boolean {
  return anyShape.test(fingerprint);
}
