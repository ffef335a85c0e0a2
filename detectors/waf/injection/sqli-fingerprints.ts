/**
 * Fingerprints of SQL injection that the samples taught and no rule of grammar covers. Made by
 * `learning/learn-fingerprints.ts`: not to be edited.
 */
const fingerprints = `
  1&n&n 1)o(s 1)onU 1;f(c 1;n(1 1BnB1 1EU1c 1U 1Uo(E 1Uon1 1nE1( 1nE1c 1o(1o 1o(s) 1of() 1of(1 1ok(E 1ooU B1c E(1),
  E(1)k E(n), E(s), E(v), E(v)k E1);( E1;(E Envos Ev) ooE1n s&n s&n&1 s(Ef( s;TnE sEU1c sEnsc sno(s v)&vB vUo(E vo(s)
  vos
`;

export function learnedFingerprints(): ReadonlySet<string> {
  return new Set(fingerprints.trim().split(/\s+/));
}
