package import KubeSchema

/// An entry of a `status.conditions` list.
package struct Condition: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package init(type: String, status: String, reason: String? = nil, message: String? = nil) {
        self.init(document: ["type": .string(type), "status": .string(status)])
        self.reason = reason
        self.message = message
    }

    package var type: String { self["type"] ?? "" }
    /// `True`, `False` or `Unknown`.
    package var status: String {
        get { self["status"] ?? "" }
        set { self["status"] = newValue }
    }
    package var lastTransitionTime: Timestamp? {
        get { self["lastTransitionTime"] }
        set { self["lastTransitionTime"] = newValue }
    }
    /// Of a node's condition.
    package var lastHeartbeatTime: Timestamp? {
        get { self["lastHeartbeatTime"] }
        set { self["lastHeartbeatTime"] = newValue }
    }
}

extension Condition: Explained {}

/// Something that says why it is as it is: `reason` in one word for programs, `message` for people.
package protocol Explained: DocumentView {}

extension Explained {
    package var reason: String? {
        get { self["reason"] }
        set { self["reason"] = newValue }
    }
    package var message: String? {
        get { self["message"] }
        set { self["message"] = newValue }
    }
}

/// A status with conditions, at most one of each type.
package protocol HasConditions {
    var conditions: [Condition] { get set }
}

extension HasConditions {
    package func condition(_ type: String) -> Condition? { conditions.first { $0.type == type } }

    /// Puts `condition` in the place of the one of its type. Its transition time is `now` when the status differs from
    /// before, else the one from before.
    package mutating func set(_ condition: Condition, now: Timestamp) {
        var condition = condition
        var all = conditions
        if let index = all.firstIndex(where: { $0.type == condition.type }) {
            let unchanged = all[index].status == condition.status
            condition.lastTransitionTime = unchanged ? all[index].lastTransitionTime ?? now : now
            all[index] = condition
        } else {
            condition.lastTransitionTime = now
            all.append(condition)
        }
        conditions = all
    }
}
