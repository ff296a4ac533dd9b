/// Objects sorted by key, in pieces of bounded size: a change costs the same whatever the number of objects, and a copy
/// of the whole is a snapshot that shares all pieces until they are changed.
struct ObjectTable: Sendable {
    /// A piece that grows beyond it is halved.
    static let pieceLimit = 512

    /// None is empty.
    private var pieces: [[StoredObject]] = []
    private(set) var count = 0

    init() {}

    /// - Parameter objects: In any order; of several with one key the last counts.
    init(_ objects: [StoredObject]) {
        for object in objects { update(object) }
    }

    func find(_ key: String) -> StoredObject? {
        guard let (piece, index, isFound) = position(of: key), isFound else { return nil }
        return pieces[piece][index]
    }

    /// Adds an object or replaces the one with its key, which it returns.
    @discardableResult
    mutating func update(_ object: StoredObject) -> StoredObject? {
        guard let (piece, index, isFound) = position(of: object.key) else {
            pieces.append([object])
            count = 1
            return nil
        }
        if isFound {
            let previous = pieces[piece][index]
            pieces[piece][index] = object
            return previous
        }
        pieces[piece].insert(object, at: index)
        count += 1
        if pieces[piece].count > Self.pieceLimit {
            // In a list that arrives sorted, full pieces stay full.
            let cut = piece == pieces.count - 1 ? Self.pieceLimit : Self.pieceLimit / 2
            pieces.insert(Array(pieces[piece][cut...]), at: piece + 1)
            pieces[piece].removeSubrange(cut...)
        }
        return nil
    }

    mutating func remove(_ key: String) -> StoredObject? {
        guard let (piece, index, isFound) = position(of: key), isFound else { return nil }
        let object = pieces[piece].remove(at: index)
        if pieces[piece].isEmpty { pieces.remove(at: piece) }
        count -= 1
        return object
    }

    /// The piece in which a key is or belongs, and where in it; `nil` for an empty table.
    private func position(of key: String) -> (piece: Int, index: Int, isFound: Bool)? {
        guard !pieces.isEmpty else { return nil }
        var (low, high) = (0, pieces.count)  // the last piece that begins at or before the key
        while high - low > 1 {
            let middle = (low + high) / 2
            if pieces[middle][0].key <= key { low = middle } else { high = middle }
        }
        let piece = low
        (low, high) = (0, pieces[piece].count)
        while low < high {
            let middle = (low + high) / 2
            if pieces[piece][middle].key < key { low = middle + 1 } else { high = middle }
        }
        return (piece, low, low < pieces[piece].count && pieces[piece][low].key == key)
    }

    /// The objects whose keys begin with `prefix`, in order.
    func slice(_ prefix: String, after last: String = "") -> Slice {
        guard let (piece, index, isFound) = position(of: max(prefix, last)) else {
            return Slice(table: self, prefix: prefix, piece: 0, index: 0)
        }
        return Slice(table: self, prefix: prefix, piece: piece, index: isFound && !last.isEmpty ? index + 1 : index)
    }

    /// A part of a table as it was when it was taken.
    struct Slice: Sequence, IteratorProtocol, Sendable {
        /// The whole table that this is a part of.
        let table: ObjectTable
        private let prefix: String
        private var piece: Int
        private var index: Int

        fileprivate init(table: ObjectTable, prefix: String, piece: Int, index: Int) {
            self.table = table
            self.prefix = prefix
            self.piece = piece
            self.index = index
        }

        mutating func next() -> StoredObject? {
            while piece < table.pieces.count {
                guard index < table.pieces[piece].count else {
                    piece += 1
                    index = 0
                    continue
                }
                let object = table.pieces[piece][index]
                guard object.key.hasPrefix(prefix) else { return nil }
                index += 1
                return object
            }
            return nil
        }
    }
}
