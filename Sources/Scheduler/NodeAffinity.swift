import KubeAPI
import KubeSchema

/// `spec.affinity.nodeAffinity` of a pod.
struct NodeAffinity: Sendable {
    /// One comparison with a label or a field of the node.
    struct Requirement: Sendable {
        var key: String
        /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.
        var operation: String
        var values: [String]

        init(_ document: JSON) {
            key = document["key"]?.string ?? ""
            operation = document["operator"]?.string ?? ""
            values = (document["values"]?.array ?? []).compactMap(\.string)
        }

        /// - Parameter actual: the node's value; `nil` when it has none.
        func matches(_ actual: String?) -> Bool {
            switch operation {
            case "In": actual.map(values.contains) ?? false
            case "NotIn": !(actual.map(values.contains) ?? false)
            case "Exists": actual != nil
            case "DoesNotExist": actual == nil
            case "Gt": compare(actual, >)
            case "Lt": compare(actual, <)
            default: false
            }
        }

        private func compare(_ actual: String?, _ holds: (Int64, Int64) -> Bool) -> Bool {
            guard let actual = actual.flatMap({ Int64($0) }), let bound = values.first.flatMap({ Int64($0) }) else {
                return false
            }
            return holds(actual, bound)
        }
    }

    /// All of its requirements have to hold. One without any matches nothing.
    struct Term: Sendable {
        var expressions: [Requirement]
        var fields: [Requirement]

        init(_ document: JSON) {
            expressions = (document["matchExpressions"]?.array ?? []).map(Requirement.init)
            fields = (document["matchFields"]?.array ?? []).map(Requirement.init)
        }

        func matches(_ node: NodeState) -> Bool {
            guard !expressions.isEmpty || !fields.isEmpty else { return false }
            return expressions.allSatisfy { $0.matches(node.labels[$0.key]) }
                && fields.allSatisfy { $0.key == "metadata.name" && $0.matches(node.name) }
        }
    }

    /// One of them has to match; `nil` when nothing is required.
    var required: [Term]?
    var preferred: [(weight: Int, term: Term)] = []

    /// - Parameter document: `spec.affinity`.
    init(_ document: JSON?) {
        let affinity = document?["nodeAffinity"]
        required = affinity?["requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"]?.array?.map(
            Term.init)
        preferred = (affinity?["preferredDuringSchedulingIgnoredDuringExecution"]?.array ?? []).map {
            (Int(clamping: $0["weight"]?.integer ?? 1), Term($0["preference"] ?? .null))
        }
    }

    func allows(_ node: NodeState) -> Bool { required.map { $0.contains { $0.matches(node) } } ?? true }
}
