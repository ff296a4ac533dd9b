import EmbeddedStore
import GRPCTransport

/// etcd's `/health`, `/version` and `/metrics`, on the port of its clients.
struct PlainPages: Sendable {
    let store: EmbeddedStore

    var answers: PlainHTTPAnswers {
        PlainHTTPAnswers { path in
            switch path {
            case "/health": health()
            case "/version":
                .init(body: "{\"etcdserver\":\"\(Answers.version)\",\"etcdcluster\":\"3.5.0\"}")
            case "/metrics": .init(contentType: "text/plain; version=0.0.4", body: await metrics())
            default: nil
            }
        }
    }

    private func health() -> PlainHTTPAnswers.Answer {
        guard let reason = store.alarm else { return .init(body: "{\"health\":\"true\",\"reason\":\"\"}") }
        return .init(status: 503, body: "{\"health\":\"false\",\"reason\":\"ALARM NOSPACE: \(reason)\"}")
    }

    /// Under etcd's names, so that its dashboards and alerts work.
    private func metrics() async -> String {
        var page = MetricsPage()
        page.gauge("etcd_server_has_leader", "Whether or not a leader exists; a store of one is its own.", 1)
        page.gauge("etcd_server_is_leader", "Whether or not this member is a leader.", 1)
        page.gauge(
            "etcd_server_quota_backend_bytes", "Bytes in use at which puts are refused; 0 for none.", store.quota ?? 0)
        page.gauge("fjord_store_no_space", "Whether puts are refused for want of space.", store.alarm == nil ? 0 : 1)
        page.gauge("fjord_store_revision", "The store's revision.", store.revision)
        page.counter("fjord_store_writes_total", "Writes committed; several share a commit.", store.metrics.writes)
        page.histogram(
            "etcd_disk_wal_fsync_duration_seconds", "Commits: the write of the log and its sync.",
            store.metrics.histogram)
        let watchers = store.watchers
        page.gauge("etcd_debugging_mvcc_watcher_total", "Watchers.", watchers.all)
        page.gauge("etcd_debugging_mvcc_slow_watcher_total", "Watchers that read history to catch up.", watchers.behind)
        if let size = try? await store.size() {
            page.gauge("etcd_mvcc_db_total_size_in_bytes", "Size of the database.", size.total)
            page.gauge("etcd_mvcc_db_total_size_in_use_in_bytes", "Of that, what holds something.", size.used)
        }
        if let keys = try? await store.keyCount() {
            page.gauge("etcd_debugging_mvcc_keys_total", "Keys.", keys)
        }
        if let leases = try? await store.leases() {
            page.gauge("fjord_store_leases", "Leases.", leases.count)
        }
        return page.text
    }
}

/// Text in Prometheus' exposition format.
struct MetricsPage {
    private(set) var text = ""

    mutating func gauge(_ name: String, _ help: String, _ value: some BinaryInteger) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n\(name) \(value)\n"
    }

    mutating func counter(_ name: String, _ help: String, _ value: some BinaryInteger) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) counter\n\(name) \(value)\n"
    }

    mutating func histogram(_ name: String, _ help: String, _ histogram: StoreMetrics.Histogram) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) histogram\n"
        var sum: UInt64 = 0
        for (bound, count) in zip(StoreMetrics.Histogram.bounds, histogram.counts) {
            sum += count
            text += "\(name)_bucket{le=\"\(bound)\"} \(sum)\n"
        }
        text += "\(name)_bucket{le=\"+Inf\"} \(histogram.count)\n"
        text += "\(name)_sum \(histogram.seconds)\n\(name)_count \(histogram.count)\n"
    }
}
