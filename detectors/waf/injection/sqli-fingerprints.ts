/**
 * Fingerprints of SQL injection that the samples taught and no rule of grammar covers. Made by
 * `learning/learn-fingerprints.ts`: not to be edited.
 */
const fingerprints = `
  1&n&n 1)o(1 1)onB 1)onU 1;f(c 1;n(1 1EU1c 1U 1Uc 1Uo(E 1Uoc 1Uon1 1nE1( 1nE1c 1o(1o 1o(s) 1of() 1of(1 1ok(E 1oo 1ooU
  1ooc 1ooo 1oooU 1oooo 1osU( 1ovU( B1c E(n), E1);( E1ksk Ek1k1 Eksk1 Envos Eok(E Es);E Ev) Ev);E f()of f(1&( f(1&f
  f(1&s f(s&( f(s&f f(s&s f(v&( f(v&1 f(v&s f(v&v k(E1) s&n s&n&1 s(Ef( s;TnE sEU1c sEnsc sno(s so1U( sons sosU( v)o(s
  vUo(E vos vosU(
`;

export function learnedFingerprints(): ReadonlySet<string> {
  return new Set(fingerprints.trim().split(/\s+/));
}
