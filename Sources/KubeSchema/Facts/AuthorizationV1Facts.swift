extension SchemaFacts {
    /// Messages and enumerations of authorization/v1; the notation is explained at ``SchemaFacts``.
    static let authorizationV1 = """
        +SubjectAccessReview;metadata 1 @ObjectMeta;spec 2 .SubjectAccessReviewSpec ! r;status 3 .SubjectAccessReviewStatus
        +SelfSubjectAccessReview;metadata 1 @ObjectMeta;spec 2 .SelfSubjectAccessReviewSpec ! r;status 3 .SubjectAccessReviewStatus
        +LocalSubjectAccessReview;metadata 1 @ObjectMeta;spec 2 .SubjectAccessReviewSpec ! r;status 3 .SubjectAccessReviewStatus
        ResourceAttributes;namespace 1 s;verb 2 s;group 3 s;version 4 s;resource 5 s;subresource 6 s;name 7 s;fieldSelector 8 .FieldSelectorAttributes ?;labelSelector 9 .LabelSelectorAttributes ?
        LabelSelectorAttributes;rawSelector 1 s;requirements 2 *@LabelSelectorRequirement A
        FieldSelectorAttributes;rawSelector 1 s;requirements 2 *@FieldSelectorRequirement A
        NonResourceAttributes;path 1 s;verb 2 s
        SubjectAccessReviewSpec;resourceAttributes 1 .ResourceAttributes ?;nonResourceAttributes 2 .NonResourceAttributes ?;user 3 s;groups 4 *s A;extra 5 {*s;uid 6 s
        SelfSubjectAccessReviewSpec;resourceAttributes 1 .ResourceAttributes ?;nonResourceAttributes 2 .NonResourceAttributes ?
        SubjectAccessReviewStatus;allowed 1 b ! r;denied 4 b;reason 2 s;evaluationError 3 s
        +SelfSubjectRulesReview;metadata 1 @ObjectMeta;spec 2 .SelfSubjectRulesReviewSpec ! r;status 3 .SubjectRulesReviewStatus
        SelfSubjectRulesReviewSpec;namespace 1 s r
        SubjectRulesReviewStatus;resourceRules 1 *.ResourceRule ! r A;nonResourceRules 2 *.NonResourceRule ! r A;incomplete 3 b ! r;evaluationError 4 s
        ResourceRule;verbs 1 *s ! r A;apiGroups 2 *s A;resources 3 *s A;resourceNames 4 *s A
        NonResourceRule;verbs 1 *s ! r A;nonResourceURLs 2 *s A
        """
}
