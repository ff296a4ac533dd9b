import CLinux
import Glibc

/// A program to start.
package struct ProgramStart: Sendable {
    /// The file to run; without a slash it is looked up in this process's PATH.
    package var executable: String
    /// All arguments, the name by which the program is called first.
    package var arguments: [String]
    /// `nil` passes this process's own on.
    package var environment: [String: String]?
    package var workingDirectory: String?
    /// Standard input, output and error; descriptors without close-on-exec pass on as well.
    package var standardInput: CInt = 0
    package var standardOutput: CInt = 1
    package var standardError: CInt = 2
    /// Makes the child a session leader, so that no terminal signal reaches it.
    package var newSession = true
    /// Signals that the child starts with blocked; all others are unblocked, and all have their default effect.
    package var blockedSignals: [CInt] = []

    package init(_ executable: String, arguments: [String]) {
        self.executable = executable
        self.arguments = arguments
    }

    /// Starts the program and returns its process id. The caller must wait for it.
    package func spawn() throws(SyscallError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        // dup2 of a descriptor onto itself takes close-on-exec away in a file action.
        for (source, target) in [(standardInput, CInt(0)), (standardOutput, 1), (standardError, 2)] {
            posix_spawn_file_actions_adddup2(&actions, source, target)
        }
        if let workingDirectory { clinux_posix_spawn_addchdir(&actions, workingDirectory) }
        var blocked = sigset_t()
        var all = sigset_t()
        sigemptyset(&blocked)
        sigfillset(&all)
        for signal in blockedSignals { sigaddset(&blocked, signal) }
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let session = newSession ? clinux_posix_spawn_setsid() : 0
        posix_spawnattr_setflags(
            &attributes, Int16(CInt(POSIX_SPAWN_SETSIGMASK) | CInt(POSIX_SPAWN_SETSIGDEF) | session))

        var argumentPointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var environmentPointers: [UnsafeMutablePointer<CChar>?] =
            environment.map { $0.map { strdup("\($0.key)=\($0.value)") } + [nil] } ?? []
        defer {
            for pointer in argumentPointers + environmentPointers { free(pointer) }
        }
        var pid: Int32 = 0
        let code: CInt
        if environment == nil {
            code = posix_spawnp(&pid, executable, &actions, &attributes, &argumentPointers, environ)
        } else {
            code = posix_spawnp(&pid, executable, &actions, &attributes, &argumentPointers, &environmentPointers)
        }
        guard code == 0 else { throw SyscallError(call: "exec", subject: executable, code: code) }
        return pid
    }
}

/// What is known of a process from `/proc`.
package struct ProcessStatus: Hashable, Sendable {
    package var pid: Int32
    package var parent: Int32
    package var command: String
    /// `R`, `S`, `D`, `Z` … as in proc_pid_stat(5).
    package var state: Character
    /// Clock ticks between boot and its start: with the pid, it names one process for ever.
    package var startTime: UInt64

    /// `nil` when there is no such process.
    package init?(_ pid: Int32) {
        guard let line = FileContents.text("/proc/\(pid)/stat") else { return nil }
        self.init(statLine: line)
    }

    /// Parses a line of `/proc/PID/stat`; the command may hold spaces and parentheses.
    package init?(statLine line: String) {
        guard let open = line.firstIndex(of: "("), let shut = line.lastIndex(of: ")"), open < shut,
            let pid = Int32(line[..<open].filter { $0 != " " })
        else { return nil }
        let fields = line[line.index(after: shut)...].split(separator: " ")
        guard fields.count > 19, let state = fields[0].first, let parent = Int32(fields[1]),
            let start = UInt64(fields[19])
        else { return nil }
        self.pid = pid
        self.parent = parent
        self.command = String(line[line.index(after: open)..<shut])
        self.state = state
        self.startTime = start
    }

    /// The ids of all processes that can be seen.
    package static func allProcessIdentifiers() -> [Int32] {
        DirectoryListing.names(in: "/proc").compactMap { Int32($0) }
    }

    /// The inode of one of a process's namespaces, `net`, `pid`, `mnt` …; `nil` when it is gone or is a zombie.
    package static func namespaceInode(_ pid: Int32, _ kind: String) -> UInt64? {
        var status = stat()
        return stat("/proc/\(pid)/ns/\(kind)", &status) == 0 ? UInt64(status.st_ino) : nil
    }
}
