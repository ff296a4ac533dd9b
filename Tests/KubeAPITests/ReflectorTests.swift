import KubeSchema
import Testing

@testable import KubeAPI

private func configMap(_ name: String, _ revision: Int, uid: String? = nil) -> ConfigMap {
    var object = ConfigMap(name: name, namespace: "default")
    object.metadata.resourceVersion = String(revision)
    object.metadata.uid = uid ?? "uid-" + name
    return object
}

/// A server's history, from which any list and any watch can be answered.
private struct Model {
    var live: [String: ConfigMap] = [:]
    var log: [(revision: Int, event: WatchEvent<ConfigMap>)] = []
    var revision = 0
    var oldest = 0

    mutating func change(_ random: inout some RandomNumberGenerator) {
        revision += 1
        let name = ["a", "b", "c", "d"].randomElement(using: &random) ?? "a"
        if let old = live[name] {
            if Bool.random(using: &random) {
                let gone = configMap(name, revision, uid: old.metadata.uid)
                live[name] = nil
                log.append((revision, .deleted(gone)))
            } else {
                let new = configMap(name, revision, uid: old.metadata.uid)
                live[name] = new
                log.append((revision, .modified(new)))
            }
        } else {
            let new = configMap(name, revision, uid: "uid-\(revision)")
            live[name] = new
            log.append((revision, .added(new)))
        }
    }
}

@Suite struct ReflectorTests {
    @Test(arguments: UInt64(0)..<300)
    func theCopyFollowsTheServerThroughEveryInterleaving(seed: UInt64) {
        var random = SplitMix(state: seed)
        var model = Model()
        var reflector = Reflector<ConfigMap>()
        var told: [String: String] = [:]  // what a listener knows: name -> uid
        func tell(_ changes: [Change<ConfigMap>]) {
            for change in changes {
                let name = change.object.metadata.name
                switch change {
                case .added(let object):
                    #expect(told[name] == nil, "added twice without a deletion")
                    told[name] = object.metadata.uid
                case .updated(let old, let new):
                    #expect(old.metadata.uid == new.metadata.uid)
                    #expect(told[name] == new.metadata.uid)
                case .deleted(let object):
                    #expect(told[name] == object.metadata.uid)
                    told[name] = nil
                }
            }
        }
        for _ in 0..<60 {
            for _ in 0..<Int.random(in: 0...3, using: &random) { model.change(&random) }
            if Int.random(in: 0..<10, using: &random) == 0 { model.oldest = model.revision }  // compaction
            switch reflector.step {
            case .list:
                let before = Set(told.keys)
                tell(
                    reflector.listed(
                        ObjectList(items: Array(model.live.values), resourceVersion: String(model.revision))))
                // Never below what was and still is there.
                #expect(before.intersection(model.live.keys).isSubset(of: told.keys))
            case .watch(let version):
                let from = Int(version) ?? 0
                if from < model.oldest {
                    let expired = APIError.status(code: 410, reason: "Expired", message: "", details: nil)
                    _ = reflector.ended(expired, sawEvents: false)
                    #expect(reflector.step == .list)
                    continue
                }
                // Some of the events, then the connection breaks.
                let events = model.log.filter { $0.revision > from }
                let count = Int.random(in: 0...events.count, using: &random)
                for event in events.prefix(count) { tell(reflector.received(event.event)) }
                if count == events.count, Bool.random(using: &random) {
                    tell(reflector.received(.bookmark(resourceVersion: String(model.revision))))
                }
                _ = reflector.ended(.unreachable("cut"), sawEvents: count > 0)
            }
        }
        // At rest, copy and listener agree with the server.
        if case .watch(let version) = reflector.step, (Int(version) ?? 0) < model.oldest {
            _ = reflector.ended(.status(code: 410, reason: "Expired", message: "", details: nil), sawEvents: false)
        }
        switch reflector.step {
        case .list:
            tell(reflector.listed(ObjectList(items: Array(model.live.values), resourceVersion: String(model.revision))))
        case .watch(let version):
            for event in model.log where event.revision > (Int(version) ?? 0) { tell(reflector.received(event.event)) }
        }
        #expect((reflector.objects["default"] ?? [:]) == model.live)
        #expect(told == model.live.mapValues(\.metadata.uid))
    }

    @Test func aListReportsWhatWasMissedWithoutPassingThroughEmpty() {
        var reflector = Reflector<ConfigMap>()
        _ = reflector.listed(ObjectList(items: [configMap("a", 1), configMap("b", 2)], resourceVersion: "2"))
        let changes = reflector.listed(ObjectList(items: [configMap("b", 2), configMap("c", 5)], resourceVersion: "6"))
        #expect(changes.contains(.added(configMap("c", 5))))
        #expect(changes.contains(.deleted(configMap("a", 1))))
        #expect(changes.count == 2)
        #expect(reflector.step == .watch(resourceVersion: "6"))
    }

    @Test func anObjectThatWasReplacedIsDeletedAndAdded() {
        var reflector = Reflector<ConfigMap>()
        _ = reflector.listed(ObjectList(items: [configMap("a", 1, uid: "old")], resourceVersion: "1"))
        let changes = reflector.received(.modified(configMap("a", 9, uid: "new")))
        #expect(changes == [.deleted(configMap("a", 1, uid: "old")), .added(configMap("a", 9, uid: "new"))])
    }

    @Test func bookmarksAdvanceTheRevisionToResumeFrom() {
        var reflector = Reflector<ConfigMap>()
        _ = reflector.listed(ObjectList(items: [], resourceVersion: "5"))
        _ = reflector.received(.bookmark(resourceVersion: "900"))
        #expect(reflector.step == .watch(resourceVersion: "900"))
    }

    @Test func waitingGrowsToItsCapAndShrinksWithSuccess() {
        var reflector = Reflector<ConfigMap>()
        var last = Duration.zero
        for _ in 0..<20 { last = reflector.ended(.unreachable("away"), sawEvents: false, random: 0.999) }
        #expect(last <= .seconds(5) && last > .seconds(4))
        _ = reflector.received(.bookmark(resourceVersion: "1"))
        let first = reflector.ended(.unreachable("away"), sawEvents: true, random: 0.5)
        #expect(first < .milliseconds(101))
        let regular = reflector.ended(nil, sawEvents: true)
        #expect(regular == .zero)
    }
}

/// Steele, Lea, Flood: SplitMix64. The same seed gives the same run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
