import OrderedCollections

extension TableLayout {
    static let events = TableLayout(columns: [
        .text("Last Seen", "When it happened last."), .text("Type", "Normal or Warning."),
        .text("Reason", "What happened, in a word."), .text("Object", "What it happened to."),
        .wide("Subobject", "The part of it."), .wide("Source", "Who reports it."),
        .text("Message", "What happened, in a sentence."), .wide("First Seen", "When it happened first."),
        .wide("Count", "How often it happened."), .wide("Name", "The event's name."),
    ]) { event, now in
        let first = HumanDuration.since(event.member("firstTimestamp") ?? event.member("eventTime"), now: now)
        let last = event["series", "lastObservedTime"] ?? event.member("lastTimestamp")
        let kind = event.cell("involvedObject", "kind").lowercased()
        let component = event["source", "component"]?.string ?? event.cell("reportingComponent")
        let host = event["source", "host"]?.string ?? event.cell("reportingInstance")
        return [
            .string(last.map { HumanDuration.since($0, now: now) } ?? first), .string(event.cell("type")),
            .string(event.cell("reason")), .string("\(kind)/\(event.cell("involvedObject", "name"))"),
            .string(event.cell("involvedObject", "fieldPath")),
            .string([component, host].filter { !$0.isEmpty }.joined(separator: ", ")),
            .string(trimmed(event.cell("message"))),
            .string(first), .string("\(event["series", "count"]?.integer ?? event["count"]?.integer ?? 1)"),
            event.nameCell,
        ]
    }

    private static func trimmed(_ text: String) -> String {
        let end = text.lastIndex { !$0.isWhitespace }
        return String((end.map { text[...$0] } ?? "").drop { $0.isWhitespace })
    }

    static let namespaces = TableLayout(columns: [.name, .text("Status", "Active or Terminating."), .age]) {
        [$0.nameCell, .string($0.cell("status", "phase")), $0.age($1)]
    }

    static let secrets = TableLayout(columns: [
        .name, .text("Type", "What the secret is for."), .number("Data", "The number of its values."), .age,
    ]) {
        [
            $0.nameCell, .string($0.cell("type").isEmpty ? "Opaque" : $0.cell("type")),
            .integer(Int64($0["data"]?.object?.count ?? 0)), $0.age($1),
        ]
    }

    static let configMaps = TableLayout(columns: [.name, .number("Data", "The number of its values."), .age]) {
        let count = ($0["data"]?.object?.count ?? 0) + ($0["binaryData"]?.object?.count ?? 0)
        return [$0.nameCell, .integer(Int64(count)), $0.age($1)]
    }

    static let serviceAccounts = TableLayout(columns: [.name, .number("Secrets", "The number of its secrets."), .age]) {
        [$0.nameCell, .integer(Int64($0.list("secrets").count)), $0.age($1)]
    }

    static let leases = TableLayout(columns: [.name, .text("Holder", "Who holds it."), .age]) {
        [$0.nameCell, .string($0.cell("spec", "holderIdentity")), $0.age($1)]
    }
}
