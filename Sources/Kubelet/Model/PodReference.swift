/// Which pod: namespace and name for people and the API, the UID for telling a pod from its predecessor of that name.
package struct PodReference: Hashable, Sendable, CustomStringConvertible {
    package let namespace: String, name: String, uid: String

    package init(namespace: String, name: String, uid: String) {
        self.namespace = namespace
        self.name = name
        self.uid = uid
    }

    package var description: String { "\(namespace)/\(name)" }
}
