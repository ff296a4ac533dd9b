import Addressing
import FoundationEssentials

/// What goes over a measuring connection: one request of fixed size, then bulk one way, then one report.
enum MeasureProtocol {
    /// `overlayd measure --serve`'s default TCP port.
    static let defaultPort: UInt16 = 8286
    static let magic: UInt32 = 0x464A_4D31  // "FJM1"
    /// Bytes of a request: the magic number and what is asked for.
    static let requestBytes = 8

    enum Request: UInt32 {
        /// Who are you? Answered by a ``ServerIdentity``.
        case identify = 1
        /// Bulk follows until the end of the stream. Answered by a ``ReceiverReport``.
        case receive = 2
    }
}

/// How the serving node introduces itself.
struct ServerIdentity: Codable, Hashable {
    /// The machine, as `/proc/sys/kernel/random/boot_id` names it: nodes of one machine share their processors.
    var bootIdentifier: String
    /// Where it can be reached over the overlay; `nil` when it has no lease.
    var overlayAddress: String?
}

/// What the receiver of a round saw.
struct ReceiverReport: Codable, Hashable {
    var bytes: Int
    /// Its machine's processors meanwhile.
    var busySeconds: Double
    var stolenSeconds: Double
    var totalSeconds: Double
}
