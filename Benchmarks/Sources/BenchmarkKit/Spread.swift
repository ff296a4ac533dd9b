/// The median of some values, with the smallest and the largest.
package struct Spread: Codable {
    package var median: Double
    package var minimum: Double
    package var maximum: Double

    package init(_ values: [Double]) {
        let sorted = values.sorted()
        minimum = sorted.first ?? 0
        maximum = sorted.last ?? 0
        let middle = sorted.count / 2
        median = sorted.isEmpty ? 0 : sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
