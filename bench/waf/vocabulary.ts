/** What visitors of the measured shop write and send: words without a second meaning to a shell, a database or a browser. */

export const words = (
  'amber basket blue breakfast bright brown candle canvas cedar ceramic chair cherry classic coffee copper corner cotton cream ' +
  'curtain dark delivery drawer durable early elegant evening family fabric favourite feather fern floral forest fresh garden ' +
  'gentle glass golden green grey handle handmade harvest heavy honey house indigo ivory kitchen ladder lamp large lavender ' +
  'leather lemon lemonade light linen little lovely maple marble matching medium mellow mirror modern morning mug natural neat ' +
  'north oak ocean olive orange outdoor oval paper pattern pearl picture pillow pine plain pocket polished pottery present ' +
  'pretty purple quiet rattan reading red ribbon river round rug rustic saffron sandy scarf season shelf silver simple slate ' +
  'small smooth soft solid spring square steel stone storage striped sturdy summer sunny table tall teak terracotta thick thin ' +
  'timber toffee traditional turquoise upholstered useful vanilla varnished velvet vintage walnut warm waterproof white wicker ' +
  'wide willow window winter wooden woollen woven yellow'
).split(' ');

export const firstNames = 'Ada Ben Clara David Emma Felix Greta Hugo Ida Jonas Klara Liam Maria Noah Olga Paul'.split(
  ' ',
);
export const lastNames =
  'Archer Baker Carter Dalton Ellis Fisher Garner Harper Irving Keller Lambert Mason Norton'.split(' ');

/** Browsers in the spelling of late 2025. */
export const userAgents: readonly string[] = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0',
];

export const languages: readonly string[] = [
  'en-US,en;q=0.9',
  'en-GB,en;q=0.8',
  'de-DE,de;q=0.9,en;q=0.7',
  'fr-FR,fr;q=0.9',
];
