import KubeAPI
import KubeSchema

/// Amounts of resources: what a node offers, what pods ask for.
struct ResourceAmounts: Hashable, Sendable {
    var milliCPU: Int64 = 0
    /// Bytes.
    var memory: Int64 = 0
    /// By name, in whole units: `ephemeral-storage`, `hugepages-2Mi`, extended resources.
    var others: [String: Int64] = [:]

    init(milliCPU: Int64 = 0, memory: Int64 = 0, others: [String: Int64] = [:]) {
        self.milliCPU = milliCPU
        self.memory = memory
        self.others = others
    }

    /// From a resource list. What isn't a quantity counts as none; `pods` is not a resource that pods ask for.
    init(_ list: [String: JSON]) {
        for (name, json) in list {
            guard let quantity = Self.quantity(json) else { continue }
            switch name {
            case "cpu": milliCPU = quantity.milliValue
            case "memory": memory = quantity.value
            case "pods": break
            default: others[name] = quantity.value
            }
        }
    }

    /// What the pod asks for: the sum of its containers, or what an init container needs if that is more.
    init(of spec: PodSpec) {
        self.init()
        for container in spec.containers { self.add(ResourceAmounts(Self.requests(of: container))) }
        var sidecars = ResourceAmounts()
        var start = ResourceAmounts()  // the most that is needed at once before the containers run
        for container in spec.initContainers {
            let requests = ResourceAmounts(Self.requests(of: container))
            if container.restartPolicy == "Always" {
                add(requests)  // a sidecar runs beside the containers and beside the later init containers
                sidecars.add(requests)
            } else {
                var needed = sidecars
                needed.add(requests)
                start.formMaximum(needed)
            }
        }
        formMaximum(start)
        add(ResourceAmounts(spec[map: "overhead"]))
    }

    static func quantity(_ json: JSON) -> ResourceQuantity? {
        switch json {
        case .string(let text): ResourceQuantity(text)
        case .integer(let value): ResourceQuantity(value)
        case .double(let value): ResourceQuantity("\(value)")
        default: nil
        }
    }

    /// A limit counts as a request where there is none.
    private static func requests(of container: Container) -> [String: JSON] {
        container.limits.merging(container.requests) { $1 }
    }

    mutating func add(_ other: ResourceAmounts) {
        milliCPU = milliCPU.addingSaturating(other.milliCPU)
        memory = memory.addingSaturating(other.memory)
        for (name, amount) in other.others { others[name] = (others[name] ?? 0).addingSaturating(amount) }
    }

    mutating func formMaximum(_ other: ResourceAmounts) {
        milliCPU = max(milliCPU, other.milliCPU)
        memory = max(memory, other.memory)
        for (name, amount) in other.others { others[name] = max(others[name] ?? 0, amount) }
    }
}

extension Int64 {
    /// Outside input may hold any number: the sum stops at the largest.
    fileprivate func addingSaturating(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }
}
