// Sizes and counts in words.

/** Give octets as people read them: "4.2 KB". */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, value] = bytes < 1_000_000 ? ["KB", bytes / 1000] : ["MB", bytes / 1_000_000];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** Give "1 email", "2 emails". */
export const count = (n, one, many = `${one}s`) => `${n.toLocaleString()} ${n === 1 ? one : many}`;
