import OrderedCollections
import Testing

@testable import KubeSchema

@Suite struct CatalogueTests {
    @Test(arguments: [
        ("deployments", "apps/v1", "deploy", true), ("horizontalpodautoscalers", "autoscaling/v2", "hpa", true),
        ("horizontalpodautoscalers", "autoscaling/v1", "hpa", true), ("nodes", "v1", "no", false),
        ("ingresses", "networking.k8s.io/v1", "ing", true), ("storageclasses", "storage.k8s.io/v1", "sc", false),
        ("certificatesigningrequests", "certificates.k8s.io/v1", "csr", false),
    ])
    func `resources have the names that users type`(_ row: (String, String, String, Bool)) throws {
        let (group, version) = ResourceCatalogue.split(apiVersion: row.1)
        let definition = try #require(
            ResourceCatalogue.builtin.resource(group: group, version: version, resource: row.0))
        #expect(definition.shortNames == [row.2] && definition.isNamespaced == row.3)
    }

    /// Objects that a v1 client and a v2 client both see whole.
    @Test func `an autoscaler is the same in both versions`() throws {
        let v1 = try #require(
            ResourceCatalogue.builtin.resource(apiVersion: "autoscaling/v1", kind: "HorizontalPodAutoscaler"))
        let stored: JSON = [
            "kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2", "metadata": ["name": "h"],
            "spec": [
                "scaleTargetRef": ["kind": "Deployment", "name": "d"], "maxReplicas": 5,
                "metrics": [
                    [
                        "type": "Resource",
                        "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 60]],
                    ],
                    [
                        "type": "Resource",
                        "resource": ["name": "memory", "target": ["type": "AverageValue", "averageValue": "1Gi"]],
                    ],
                ],
                "behavior": ["scaleDown": ["stabilizationWindowSeconds": 5]],
            ],
        ]
        let seen = VersionConversion.served(stored, as: v1)
        #expect(seen["apiVersion"] == "autoscaling/v1")
        #expect(seen["spec", "targetCPUUtilizationPercentage"] == 60)
        #expect(seen["spec", "metrics"] == nil)
        #expect(VersionConversion.stored(seen, from: v1) == stored)
    }

    @Test func `an event is the same under both groups`() throws {
        let served = try #require(ResourceCatalogue.builtin.resource(apiVersion: "events.k8s.io/v1", kind: "Event"))
        let stored: JSON = [
            "kind": "Event", "apiVersion": "v1", "metadata": ["name": "e"], "involvedObject": ["name": "p"],
            "reason": "Started", "message": "began", "eventTime": "2026-01-01T00:00:00.000000Z", "count": 2,
            "reportingComponent": "c",
        ]
        let seen = VersionConversion.served(stored, as: served)
        #expect(seen["regarding", "name"] == "p" && seen["note"] == "began" && seen["deprecatedCount"] == 2)
        #expect(VersionConversion.stored(seen, from: served) == stored)
        #expect(
            VersionConversion.fieldSelector("regarding.name=p,type!=Normal", from: served)
                == "involvedObject.name=p,type!=Normal")
    }

    @Test(
        arguments: [
            (
                #"{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}"#,
                ["spec", "strategy", "rollingUpdate", "maxSurge"], JSON.string("25%")
            ),
            (
                #"{"kind":"CronJob","apiVersion":"batch/v1","metadata":{"name":"d"},"spec":{"schedule":"* * * * *","jobTemplate":{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"i"}]}}}}}}"#,
                ["spec", "jobTemplate", "spec", "template", "spec", "dnsPolicy"], "ClusterFirst"
            ),
            (
                #"{"kind":"NetworkPolicy","apiVersion":"networking.k8s.io/v1","metadata":{"name":"d"},"spec":{"egress":[{}]}}"#,
                ["spec", "policyTypes"], ["Ingress", "Egress"]
            ),
            (
                #"{"kind":"RoleBinding","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"d"},"roleRef":{"kind":"Role","name":"r"}}"#,
                ["roleRef", "apiGroup"], "rbac.authorization.k8s.io"
            ),
            (
                #"{"kind":"Job","apiVersion":"batch/v1","metadata":{"name":"d"},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"i"}],"restartPolicy":"Never"}}}}"#,
                ["spec", "completions"], 1
            ),
        ] as [(String, [String], JSON)])
    func `what users leave out is filled in, and filling in again changes nothing`(_ row: (String, [String], JSON))
        throws
    {
        let raw = try Fixtures.json(row.0)
        let definition = try #require(
            ResourceCatalogue.builtin.resource(
                apiVersion: raw["apiVersion"]?.string ?? "", kind: raw["kind"]?.string ?? ""))
        var (object, _) = try RequestDecoder.decode(
            body: Array(row.0.utf8), contentType: nil, as: definition, validation: .strict)
        Defaults.apply(to: &object, definition)
        #expect(object[row.1] == row.2)
        var again = object
        Defaults.apply(to: &again, definition)
        #expect(again == object)
    }

    @Test func `every kind's row has a cell for each column`() {
        for definition in ResourceCatalogue.builtin.definitions {
            for round in 0..<4 {
                var generator = ObjectGenerator(seed: UInt64(round))
                let object = generator.object(
                    definition.message, kind: definition.kind, apiVersion: definition.apiVersion)
                let table = TableRenderer.table(
                    items: [object, ["metadata": ["name": "x"]]], definition: definition, include: .none, now: 0,
                    resourceVersion: nil)
                let columns = table["columnDefinitions"]?.array?.count
                for row in table["rows"]?.array ?? [] {
                    #expect(row["cells"]?.array?.count == columns, "\(definition.qualifiedResource)")
                }
            }
        }
    }

    @Test(arguments: [
        (
            #"{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web","creationTimestamp":"1970-01-01T00:00:00Z"},"spec":{"replicas":3,"selector":{"matchLabels":{"a":"b"}},"template":{"spec":{"containers":[{"name":"c","image":"i"}]}}},"status":{"readyReplicas":2,"updatedReplicas":3,"availableReplicas":2}}"#,
            "web 2/3 3 2 100s c i a=b"
        ),
        (
            #"{"kind":"Job","apiVersion":"batch/v1","metadata":{"name":"j"},"spec":{"completions":2},"status":{"succeeded":2,"startTime":"1970-01-01T00:00:10Z","completionTime":"1970-01-01T00:00:40Z","conditions":[{"type":"Complete","status":"True"}]}}"#,
            "j Complete 2/2 30s <unknown>   <none>"
        ),
        (
            #"{"kind":"Ingress","apiVersion":"networking.k8s.io/v1","metadata":{"name":"i"},"spec":{"rules":[{"host":"a"},{"host":"b"},{"host":"c"},{"host":"d"}],"tls":[{}]}}"#,
            "i <none> a,b,c + 1 more...  80, 443 <unknown>"
        ),
        (
            #"{"kind":"Role","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"r","creationTimestamp":"1970-01-01T00:00:00Z"}}"#,
            "r 1970-01-01T00:00:00Z"
        ),
    ])
    func `rows read as kubectl's users know them`(_ row: (String, String)) throws {
        let object = try Fixtures.json(row.0)
        let definition = try #require(
            ResourceCatalogue.builtin.resource(
                apiVersion: object["apiVersion"]?.string ?? "", kind: object["kind"]?.string ?? ""))
        let table = TableRenderer.table(
            items: [object], definition: definition, include: .none, now: 100, resourceVersion: nil)
        let cells = table["rows"]?.array?.first?["cells"]?.array ?? []
        #expect(cells.map { $0.string ?? $0.description }.joined(separator: " ") == row.1)
    }
}
