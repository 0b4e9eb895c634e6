// Which tokens two answers have in common.

/**
 * Marks the tokens that are not part of a longest common subsequence of two lists of ids.
 *
 * @return two sets of indices, one for each list
 */
export function differing(a, b) {
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width); // of the tails from i and j on
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] = a[i] === b[j]
        ? longest[(i + 1) * width + j + 1] + 1
        : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const onlyA = new Set();
  const onlyB = new Set();
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++;
      j++;
    } else if (j === b.length || (i < a.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      onlyA.add(i++);
    } else {
      onlyB.add(j++);
    }
  }
  return [onlyA, onlyB];
}
