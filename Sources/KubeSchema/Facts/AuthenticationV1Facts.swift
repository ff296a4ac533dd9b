extension SchemaFacts {
    /// Messages and enumerations of authentication/v1; the notation is explained at ``SchemaFacts``.
    static let authenticationV1 = """
        +TokenReview;metadata 1 @ObjectMeta;spec 2 .TokenReviewSpec ! r;status 3 .TokenReviewStatus
        TokenReviewSpec;token 1 s r;audiences 2 *s A
        TokenReviewStatus;authenticated 1 b;user 2 .UserInfo;audiences 4 *s A;error 3 s
        UserInfo;username 1 s;uid 2 s;groups 3 *s A;extra 4 {*s
        +TokenRequest;metadata 1 @ObjectMeta;spec 2 .TokenRequestSpec !;status 3 .TokenRequestStatus
        TokenRequestSpec;audiences 1 *s ! A;expirationSeconds 4 l ? !;boundObjectRef 3 .BoundObjectReference ? !;attestations 5 {*s
        TokenRequestStatus;token 1 s !;expirationTimestamp 2 t !
        BoundObjectReference;kind 1 s;apiVersion 2 s;name 3 s;uid 4 s
        +SelfSubjectReview;metadata 1 @ObjectMeta;status 2 .SelfSubjectReviewStatus
        SelfSubjectReviewStatus;userInfo 1 .UserInfo
        """
}
