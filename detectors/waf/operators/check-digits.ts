/** Numbers of cards and persons by their check digits. Each takes any text and looks at its digits only. */

function digitsOf(text: string): number[] {
  return Array.from(text.replace(/[^0-9]/g, ''), Number);
}

function weighted(digits: readonly number[], weights: readonly number[]): number {
  return weights.reduce((sum, weight, index) => sum + weight * (digits[index] ?? 0), 0);
}

function isOneDigit(digits: readonly number[]): boolean {
  return digits.every((digit) => digit === digits[0]);
}

/** ISO/IEC 7812-1, annex B (Luhn). */
export function isCardNumber(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.length === 0) return false;
  const sum = digits.toReversed().reduce((total, digit, index) => {
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}

/** Cadastro de Pessoas Físicas: eleven digits, the last two of them checks. */
export function isBrazilianCpf(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.length !== 11 || isOneDigit(digits)) return false;
  const check = (count: number): number => {
    const weights = Array.from({ length: count }, (_, index) => count + 1 - index);
    const rest = (weighted(digits, weights) * 10) % 11;
    return rest === 10 ? 0 : rest;
  };
  return digits[9] === check(9) && digits[10] === check(10);
}

/** Social Security number: no check digit, but numbers that are never given out. */
export function isUsSecurityNumber(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.length !== 9 || isOneDigit(digits)) return false;
  if (digits.every((digit, index) => index === 0 || digit === (digits[index - 1] ?? 0) + 1)) return false;
  const [area, group, serial] = [digits.slice(0, 3), digits.slice(3, 5), digits.slice(5)].map((part) =>
    Number(part.join('')),
  );
  if (area === undefined || area === 0 || area === 666 || area >= 740) return false;
  return group !== 0 && serial !== 0;
}

/** Sozialversicherungsnummer: ten digits, the fourth of them the check. */
export function isAustrianInsurance(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.length !== 10 || isOneDigit(digits)) return false;
  return weighted(digits, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 === digits[3];
}

/** Rol Único Tributario: digits and a check, which may be a K. */
export function isChileanRut(text: string): boolean {
  const signs = text.replace(/[^0-9kK]/g, '').toLowerCase();
  if (!/^\d{7,8}[0-9k]$/.test(signs)) return false;
  const digits = digitsOf(signs.slice(0, -1)).toReversed();
  const rest = 11 - (digits.reduce((sum, digit, index) => sum + digit * ((index % 6) + 2), 0) % 11);
  const check = rest === 11 ? '0' : rest === 10 ? 'k' : String(rest);
  return signs.at(-1) === check;
}
