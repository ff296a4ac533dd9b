import APIServer
import HTTPTypes
import KubeSchema
import OrderedCollections
import Testing

@Suite(.timeLimit(.minutes(2))) struct ListAndWatchTests {
    private static let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

    @Test func `lists are selected by labels and fields`() async throws {
        try await withServer { server in
            for name in ["a", "b", "c"] {
                try await server.call(.post, pods, pod(name, labels: ["n": .string(name), "all": "yes"]))
            }
            func names(_ query: String) async throws -> [String] {
                (try await server.call(.get, "\(pods)?\(query)")["items"]?.array ?? []).compactMap {
                    $0["metadata", "name"]?.string
                }
            }
            #expect(try await names("labelSelector=n%3Da") == ["a"])
            #expect(try await names("labelSelector=n+in+(a,b),all") == ["a", "b"])
            #expect(try await names("labelSelector=n!%3Da") == ["b", "c"])
            #expect(try await names("fieldSelector=metadata.name%3Db") == ["b"])
            #expect(try await names("fieldSelector=metadata.name!%3Db,status.phase%3DPending") == ["a", "c"])
            #expect(try await server.call(.get, "\(pods)?fieldSelector=no.such%3D1").code == 400)
            #expect(try await server.call(.get, "\(pods)?labelSelector=%3D%3D%3D").code == 400)
        }
    }

    @Test func `pages show one revision though objects change between them`() async throws {
        try await withServer { server in
            for number in 0..<7 { try await server.call(.post, pods, pod("p\(number)")) }
            let first = try await server.call(.get, "\(pods)?limit=3")
            #expect(first["items"]?.array?.count == 3 && first["metadata", "remainingItemCount"] == 4)
            try await server.call(.delete, "\(pods)/p5")
            try await server.call(.post, pods, pod("p55"))
            var names = (first["items"]?.array ?? []).compactMap { $0["metadata", "name"]?.string }
            var next = first["metadata", "continue"]?.string
            while let token = next, !token.isEmpty {
                let page = try await server.call(
                    .get, "\(pods)?limit=3&continue=\(token.replacing("=", with: "%3D").replacing("+", with: "%2B"))")
                #expect(page["metadata", "resourceVersion"] == first["metadata", "resourceVersion"])
                names += (page["items"]?.array ?? []).compactMap { $0["metadata", "name"]?.string }
                next = page["metadata", "continue"]?.string
            }
            #expect(names == (0..<7).map { "p\($0)" })
            #expect(try await server.call(.get, "\(pods)?limit=3&continue=nonsense").code == 400)
        }
    }

    @Test func `a table has columns and rows`() async throws {
        try await withServer { server in
            try await server.call(.post, pods, pod("a"))
            let table = try await server.call(.get, pods, accept: Self.table)
            #expect(table["kind"] == "Table")
            #expect(table["columnDefinitions"]?.array?.first?["name"] == "Name")
            #expect(table["rows"]?.array?.first?["cells"]?.array?.first == "a")
            let partial = try await server.call(
                .get, pods, accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
            #expect(partial["kind"] == "PartialObjectMetadataList" && partial["items"]?.array?.first?["spec"] == nil)
        }
    }

    @Test func `a watch from the start sends what is there and then each change`() async throws {
        try await withServer { server in
            try await server.call(.post, pods, pod("a"))
            var seen: [String] = []
            var started = false
            try await server.watch("\(pods)?watch=true") { event in
                seen.append("\(event["type"]?.string ?? "") \(event["object", "metadata", "name"]?.string ?? "")")
                if !started {
                    started = true
                    Task {
                        try await server.call(.post, pods, pod("b"))
                        try await server.call(
                            .patch, "\(pods)/b", ["metadata": ["labels": ["l": "v"]]],
                            type: "application/merge-patch+json")
                        try await server.call(.delete, "\(pods)/b")
                    }
                }
                return seen.count == 4
            }
            #expect(seen == ["ADDED a", "ADDED b", "MODIFIED b", "DELETED b"])
        }
    }

    @Test func `an object that begins or ceases to match comes as added or deleted`() async throws {
        try await withServer { server in
            let start = try await server.call(.get, pods)["metadata", "resourceVersion"]?.string ?? ""
            try await server.call(.post, pods, pod("a"))
            for value: JSON in ["yes", "still", .null] {
                try await server.call(
                    .patch, "\(pods)/a", ["metadata": ["labels": ["l": value]]], type: "application/merge-patch+json")
            }
            var types: [String] = []
            try await server.watch("\(pods)?watch=true&labelSelector=l&resourceVersion=\(start)") { event in
                types.append(event["type"]?.string ?? "")
                return types.count == 3
            }
            #expect(types == ["ADDED", "MODIFIED", "DELETED"])
        }
    }

    @Test func `a streaming list ends its initial events with a marked bookmark`() async throws {
        try await withServer { server in
            try await server.call(.post, pods, pod("a"))
            let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
            for (path, expected) in [
                ("\(pods)?\(query)", ["ADDED", "BOOKMARK"]),
                ("\(pods)?\(query)&fieldSelector=metadata.name%3Dnone", ["BOOKMARK"]),
            ] {
                var types: [String] = []
                try await server.watch(path) { event in
                    types.append(event["type"]?.string ?? "")
                    return event["object", "metadata", "annotations", "k8s.io/initial-events-end"] == "true"
                }
                #expect(types == expected)
            }
        }
    }

    @Test func `a version that is too old is told so, in the stream`() async throws {
        try await withServer(revisions: 1500) { server in
            var code: Int64?
            try await server.watch("\(pods)?watch=true&resourceVersion=1") { event in
                #expect(event["type"] == "ERROR" && event["object", "reason"] == "Expired")
                code = event["object", "code"]?.integer
                return true
            }
            #expect(code == 410)
        }
    }

    @Test func `a watch resumes from before the server's start`() async throws {
        try await withServer(revisions: 20) { server in
            try await server.call(.post, pods, pod("a"))
            var types: [String] = []
            try await server.watch("\(pods)?watch=true&resourceVersion=5") { event in
                types.append(event["type"]?.string ?? "")
                return true
            }
            #expect(types == ["ADDED"])
        }
    }

    @Test func `a quiet watch can be resumed though other kinds were busy`() async throws {
        try await withServer { server in
            let start = try await server.call(.get, pods)["metadata", "resourceVersion"]?.string ?? ""
            for number in 0..<100 {
                try await server.call(
                    .post, "/api/v1/namespaces/default/configmaps", ["metadata": ["name": .string("c\(number)")]])
            }
            try await server.call(.post, pods, pod("a"))
            var first: String?
            try await server.watch("\(pods)?watch=true&resourceVersion=\(start)") { event in
                first = event["type"]?.string
                return true
            }
            #expect(first == "ADDED")
        }
    }

    @Test func `a watch ends when its time is over, with a bookmark where they are wanted`() async throws {
        try await withServer { server in
            var types: [String] = []
            try await server.watch("\(pods)?watch=true&resourceVersion=0&timeoutSeconds=1&allowWatchBookmarks=true") {
                event in
                types.append(event["type"]?.string ?? "")
                return false
            }
            #expect(types == ["BOOKMARK"])
        }
    }

    @Test func `a table watch sends one row an event`() async throws {
        try await withServer { server in
            try await server.call(.post, pods, pod("a"))
            var rows: Int?
            try await server.watch("\(pods)?watch=true", accept: Self.table) { event in
                #expect(event["object", "kind"] == "Table")
                rows = event["object", "rows"]?.array?.count
                return true
            }
            #expect(rows == 1)
        }
    }

    @Test func `a collection is deleted by selector`() async throws {
        try await withServer { server in
            for name in ["a", "b", "c"] { try await server.call(.post, pods, pod(name, labels: ["n": .string(name)])) }
            #expect(try await server.call(.delete, "\(pods)?labelSelector=n+in+(a,b)").code == 200)
            #expect(try await server.call(.get, pods)["items"]?.array?.count == 1)
        }
    }
}
