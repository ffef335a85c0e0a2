/**
 * What attacks look like by their grammar, as patterns over fingerprints (`sql-token.ts` names the letters). A shape says
 * that a value ends the expression it was put into and goes on with one of the things an attacker has in mind; it holds
 * for values that nobody has written yet, where the learned set holds for those that were seen.
 */

/** What the value was put behind: a value of its own or the rest of a string, and brackets that it closes. */
const opening = '^(?:[1sv](?:o[1sv])?|n|[1svn]\\)|f\\([^)]?\\))';

const shapes: readonly string[] = [
  // A comment that no honest client writes, as `/*! … */`.
  '^X$',
  // UNION SELECT with what is selected; after two barewords it may be prose, after a sign a path.
  '^(?![o?:]|nn|[nk]k).{0,3}U(?:E(?:[1svf(,oB;&kcE]|n[,k(;.co1&B]|$)|\\([E(])',
  '^(?:[1sv]|.?\\))(?:k|k?B1?)?&?.?U(?:E|\\([E(])',
  '^.?U\\([E(]',
  '^1Uo?c$|^1U1c',
  // A second statement.
  '^(?:[1sv]|[1svn]\\))?\\)?;(?:E[1svf(cET]|En[sv(c;,.k]|Ek[nt]|T[1svfEtT(;c]|Tn[s(.;,tk1]|Tk[n1sc]|T$)',
  '^[1svE]+\\);[ET]',
  '^[1s]\\)?;(?:Enn|Tnn)',
  '^E[1sv];E[1svf(]',
  '^(?:.{1,3}&.{0,3});[ET]',
  // One more condition.
  `${opening}&(?:1$|1[oc;)U,&E]|v$|v[oc);]|s[o&c,)]|s$|no[1svfn(]|nc)`,
  `${opening}&(?:f\\(|\\(E[1svf(]|E[1svf(]|\\(\\(|\\(f\\(|\\(1|\\(s|\\(v|\\(no|of|o\\(|1[Bk])`,
  '^[1sv]\\)?&\\([Ef]|^\\)&\\(E|^f\\(\\)&[f1(]|^&f\\(',
  '^f\\([1sv]&[1svf(]|^[1sn]\\)k1&',
  `${opening}&.{0,2}B[1svf(]`,
  '^(?:1n|no1)&(?:f\\(|1B)',
  // A subquery in an expression; `colour (select one)` is none.
  '[o&fk,(]\\(E(?:[1svf(]|ok)|^Enk\\(E|^1\\(En[k,]',
  '^[1sv]\\)?[o,]\\(E',
  '^(?:[1sv]|[1svn]\\)),(?:f\\(|\\(f|\\(E)|^s\\),\\([1svfE]|^n,f\\([1fE]|^n,\\(f',
  '^[1sv]\\)?o(?:f\\([fs(E]|\\(f|\\(E)',
  // What follows a closed string: arithmetic with a call or a subquery, a comparison.
  '^s\\)?o(?:f\\(|\\(E|E[1v(]|Ef\\(|En[k,(]|\\([1svf]|[1sv]o|[1vs]c|no[1sv]|[1v]&|s&|n&[1sv(f]|[1sv]U[E(])',
  '^s\\)?Uo\\(E',
  '^(?:s|1|1\\)|s\\))f\\(',
  '^sos$',
  // Sorting and grouping, where a comment or another clause follows, or a number is what it sorts by.
  '^(?:[1sv]|[1sv]\\))B(?:1$|1k|[1sv][cUBo,&]|n[cU,]|f\\(|\\([1svfE(]|n$)',
  // A query as a whole.
  '^E[1svf(&]{3}|^E[1svf(&)o]{4}$',
  '^E(?:nkn[BUc;]?$|1nkn|1vk|o[kn]|of\\(|f\\(|\\(E[1svfo(]|\\(f\\(|[1sv]k[nf(]|[1sv][,UBc]|n,f|v[ns]?c?$|[1s]?k[1s]k)',
  '^sE(?:[v(]|f\\(|[s1][;,c])',
  // A statement of a procedure, or a file to write to, behind a value.
  '^[1sn]\\)?T(?:[nTvkEf(s]|$)|^Tvf\\(',
  '^sE[1sv]T|^[1sv]Enkn|^[1s]Eok|^[1sv]nEf\\(',
  '^[1s]\\)kn[kc]|^sk\\)[ko]',
  '^[1sv]\\)?k\\)?(?:[s(f]|$)',
  // A call as a whole, `f(1)` and `f(f(`.
  '^f\\((?:[1sv]\\)(?:$|[&);]|o[1svf(])|\\)(?:$|o[1svf(])|f\\(|E[1svf(]|En[k,(]|Eok|[1svn],)',
  // The rest of the query is cut away.
  '^(?:[1nv]|[1svn]\\)|s)\\)?;?c$',
  '^[^nkt?.:,]*\\)c$',
];

const anyShape = new RegExp(shapes.join('|'));

/** True when a fingerprint has the grammar of an attack. */
export function hasAttackShape(fingerprint: string): boolean {
  return anyShape.test(fingerprint);
}
