/**
 * The costs that explain measured sums best: `values[i] ≈ Σ costs[j] · features[i][j]`, by the squares of relative errors,
 * none of the costs below zero.
 */
export function leastSquares(features: readonly (readonly number[])[], values: readonly number[]): number[] {
  const width = features[0]?.length ?? 0;
  let kept = Array.from({ length: width }, (_, column) => column);
  for (;;) {
    const costs = solveNormal(features, values, kept);
    const worst = costs.reduce((least, cost, i) => (cost < (costs[least] ?? 0) ? i : least), 0);
    if (costs.length === 0 || (costs[worst] ?? 0) >= 0) {
      return Array.from({ length: width }, (_, column) => costs[kept.indexOf(column)] ?? 0);
    }
    kept = kept.filter((_, i) => i !== worst);
  }
}

/** Solves the normal equations of some columns, each row weighted by the inverse of its value. */
function solveNormal(
  features: readonly (readonly number[])[],
  values: readonly number[],
  columns: readonly number[],
): number[] {
  const rows = features.map((row, i) => columns.map((column) => (row[column] ?? 0) / (values[i] ?? 1)));
  // Columns of very different sizes are brought to one, or the elimination loses the small ones.
  const scales = columns.map((_, j) => Math.max(...rows.map((row) => Math.abs(row[j] ?? 0)), Number.MIN_VALUE));
  const scaled = rows.map((row) => row.map((value, j) => value / (scales[j] ?? 1)));
  const dot = (a: (row: readonly number[]) => number, b: (row: readonly number[]) => number) =>
    scaled.reduce((sum, row) => sum + a(row) * b(row), 0);
  const matrix = columns.map((_, j) => [
    ...columns.map((__, k) =>
      dot(
        (row) => row[j] ?? 0,
        (row) => row[k] ?? 0,
      ),
    ),
    dot(
      (row) => row[j] ?? 0,
      () => 1,
    ),
  ]);
  return eliminate(matrix).map((cost, j) => cost / (scales[j] ?? 1));
}

/** Gauss–Jordan with pivots; a column that the others determine gets 0. */
function eliminate(matrix: number[][]): number[] {
  const size = matrix.length;
  for (let column = 0; column < size; column++) {
    const below = matrix.map((row, i) => (i < column ? 0 : Math.abs(row[column] ?? 0)));
    const pivot = below.indexOf(Math.max(...below));
    [matrix[column], matrix[pivot]] = [matrix[pivot] ?? [], matrix[column] ?? []];
    const lead = matrix[column] ?? [];
    const by = lead[column] ?? 0;
    if (Math.abs(by) < 1e-12) continue;
    for (const [i, row] of matrix.entries()) {
      const factor = i === column ? 0 : (row[column] ?? 0) / by;
      for (let k = column; k <= size; k++) row[k] = (row[k] ?? 0) - factor * (lead[k] ?? 0);
    }
  }
  return matrix.map((row, i) => (Math.abs(row[i] ?? 0) < 1e-12 ? 0 : (row[size] ?? 0) / (row[i] ?? 1)));
}
