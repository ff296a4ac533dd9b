import Glibc
import KubeAPI
package import KubeSchema
import LinuxKit
import Logging

/// How much of each container's log is kept.
package struct ContainerLogLimits: Sendable {
    /// A file that has grown past it is set aside.
    package var maximumBytes: Int64 = 10 << 20
    /// How many files a container has at most, the one that is written to included.
    package var maximumFiles = 5
    /// How often files are looked at.
    package var interval: Duration = .seconds(10)

    package init() {}

    /// Reads a size such as `10Mi`; `nil` where it is none above zero.
    package static func bytes(_ text: String) -> Int64? { Quantity.units(text).flatMap { $0 > 0 ? $0 : nil } }
}

/// The files of one container's log: the one that the runtime writes to, and beside it those that were set aside, named
/// after it and the time.
package struct ContainerLogFiles: Sendable {
    let path: String

    package init(path: String) { self.path = path }

    private var directory: Substring { path[..<(path.lastIndex(of: "/") ?? path.startIndex)] }
    private var name: Substring { path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...] }

    /// Those set aside, the oldest first.
    var former: [String] {
        DirectoryListing.names(in: String(directory)).filter { $0.hasPrefix("\(name).") }.sorted().map {
            "\(directory)/\($0)"
        }
    }

    /// Bytes in the file that is written to; `nil` when there is none.
    var bytes: Int64? {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : nil
    }

    /// The name under which the file is set aside at `now`: behind that of `last`, also where the clock was set back.
    package func name(at now: Timestamp, after last: String?) -> String {
        let digits = now.rfc3339Microseconds.filter(\.isNumber)
        let name = "\(path).\(digits.prefix(8))-\(digits.dropFirst(8))"
        guard let last, last >= name else { return name }
        return last + "x"
    }

    /// Sets the file aside under a name of its own.
    func setAside(_ now: Timestamp) throws(SyscallError) -> String {
        let target = name(at: now, after: former.last)
        try SyscallError.check("rename", path) { rename(path, target) }
        return target
    }

    /// Deletes the oldest so that, with the one that is written to, no more than `count` are left.
    func keep(_ count: Int) throws(SyscallError) {
        for file in former.dropLast(max(0, count - 1)) { try FileTree.remove(file) }
    }

    /// Deletes all of them.
    func remove() throws(SyscallError) {
        try keep(0)
        try FileTree.remove(path)
    }
}

/// Keeps logs from filling the disk: sets files aside that have grown too large, has the runtime write to new ones, and
/// deletes the oldest.
struct ContainerLogRotator: Sendable {
    let context: KubeletContext
    let limits: ContainerLogLimits
    /// The containers that run.
    let containers: @Sendable () async -> [ObservedContainer]

    /// Works until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            try? await context.time.sleep(for: limits.interval)
            for container in await containers() where !container.logPath.isEmpty {
                do { try await rotate(container) } catch {
                    context.logger.warning("container \(container.name): its log cannot be rotated: \(error)")
                }
            }
        }
    }

    private func rotate(_ container: ObservedContainer) async throws {
        let files = ContainerLogFiles(path: container.logPath)
        guard let bytes = files.bytes else {
            // Set aside by a kubelet that died before it could ask for a new file.
            if !files.former.isEmpty { try await context.runtime.reopenLog(container.id) }
            return
        }
        guard bytes > limits.maximumBytes else { return }
        let former = try files.setAside(context.time.now)
        do {
            try await context.runtime.reopenLog(container.id)
        } catch {
            rename(former, container.logPath)  // the runtime still writes to it
            throw error
        }
        try files.keep(limits.maximumFiles)
    }
}
