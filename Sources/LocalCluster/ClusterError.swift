/// What went wrong with a local cluster, and what to do about it, in one line.
package struct ClusterError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
