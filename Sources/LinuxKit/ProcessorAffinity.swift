import CLinux

/// Which processors the calling thread may run on.
package enum ProcessorAffinity {
    /// Keeps the calling thread on one processor.
    ///
    /// - Throws: `EINVAL` when there is no such processor, or the process may not use it.
    package static func pin(to processor: Int) throws(SyscallError) {
        try SyscallError.checkShim("sched_setaffinity", "processor \(processor)") {
            clinux_pin_thread(CInt(clamping: processor))
        }
    }
}
