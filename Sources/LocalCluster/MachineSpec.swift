import FoundationEssentials
import LinuxKit

/// What a machine's first process is to set up and run; written as JSON by `fjord up`, read by `fjord machine-init`.
package struct MachineSpec: Codable, Hashable, Sendable {
    /// A host directory or file shown at a path of the machine.
    package struct Bind: Codable, Hashable, Sendable {
        package var source: String
        package var target: String

        package init(_ source: String, at target: String) {
            self.source = source
            self.target = target
        }
    }

    /// A host directory that the machine sees with changes of its own laid over it.
    package struct Overlay: Codable, Hashable, Sendable {
        package var path: String
        /// Holds the changes; must be a real directory outside `path`.
        package var upper: String
        /// An empty directory on the file system of `upper`.
        package var work: String
    }

    /// A program that is kept running.
    package struct Service: Codable, Hashable, Sendable {
        /// What has to be there before the service is started for the first time.
        package enum Condition: Codable, Hashable, Sendable {
            /// Something listens on TCP `port` of `address`.
            case listening(address: String, port: UInt16)
            /// The file exists.
            case file(String)
        }

        package var name: String
        /// The program's path, then its arguments.
        package var arguments: [String]
        package var environment: [String: String] = [:]
        /// Standard output and error are added to this file.
        package var log: String
        package var conditions: [Condition] = []
        /// Commands that have to succeed, in order, before each start.
        package var preparations: [[String]] = []
        /// Whether it is started again when it has ended.
        package var restart: Restart = .always

        package init(_ name: String, _ arguments: [String], log: String) {
            self.name = name
            self.arguments = arguments
            self.log = log
        }
    }

    /// `Restart=` of systemd.service(5), as far as it is needed.
    package enum Restart: String, Codable, Hashable, Sendable {
        case always
        case onFailure = "on-failure"
        case no
    }

    package var hostname: String
    /// The cgroup, below every hierarchy's root, that holds all of the machine: `/fjord-node-1`.
    package var cgroup: String
    package var overlays: [Overlay] = []
    package var binds: [Bind] = []
    /// Directories that start empty and are gone at power-off.
    package var temporary: [String] = []
    /// Settings of the machine's network namespace.
    package var settings: [String: String] = [:]
    package var services: [Service] = []
    /// Where the state of the services is written, see ``MachineState``.
    package var stateFile: String

    package init(hostname: String, cgroup: String, stateFile: String) {
        self.hostname = hostname
        self.cgroup = cgroup
        self.stateFile = stateFile
    }
}

/// What a machine's first process says of its services.
package struct MachineState: Codable, Hashable, Sendable {
    package struct Service: Codable, Hashable, Sendable {
        package var name: String
        /// The process id inside the machine; `nil` while it does not run.
        package var pid: Int32?
        package var restarts: Int
        /// How it last ended: an exit code, or 128 and the number of the signal.
        package var lastExit: Int32?
        /// What it waits for before its first start.
        package var waiting: String?
    }

    package var services: [Service]
}

/// JSON files of this target's types.
enum JSONFile {
    static func read<T: Decodable>(_ type: T.Type, _ path: String) throws -> T {
        let bytes = try FileContents.read(path)
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw ClusterError("\(path) is damaged (\(error)); run `fjord down` and then `fjord up`")
        }
    }

    static func write(_ value: some Encodable, _ path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try FileContents.replace(path, with: Array(try encoder.encode(value)) + [10])
    }
}
