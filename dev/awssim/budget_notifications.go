package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/budgets"
	budgettypes "github.com/aws/aws-sdk-go-v2/service/budgets/types"
)

const (
	mostNotifications = 10
	mostSubscribers   = 11 // ten addresses and one topic
)

// notificationKey is what makes two notifications the same; ThresholdType defaults to a percentage.
func notificationKey(n *budgettypes.Notification) string {
	kind := n.ThresholdType
	if kind == "" {
		kind = budgettypes.ThresholdTypePercentage
	}
	return fmt.Sprintf("%s %s %g %s", n.NotificationType, n.ComparisonOperator, n.Threshold, kind)
}

func (c *Call) addNotification(ctx context.Context, budget string, n *budgettypes.Notification, subscribers []budgettypes.Subscriber) error {
	if n == nil || n.NotificationType == "" || n.ComparisonOperator == "" || n.Threshold <= 0 {
		return badParameter("A notification needs its type, its comparison and a threshold above zero.")
	}
	if len(subscribers) == 0 || len(subscribers) > mostSubscribers {
		return badParameter("A notification needs 1 to %d subscribers.", mostSubscribers)
	}
	for _, s := range subscribers {
		if s.SubscriptionType == "" || aws.ToString(s.Address) == "" || (s.SubscriptionType == budgettypes.SubscriptionTypeEmail && !emailForm.MatchString(*s.Address)) {
			return badParameter("A subscriber needs its type and an address.")
		}
	}
	if n.NotificationState == "" {
		n.NotificationState = budgettypes.NotificationStateOk
	}
	var there int
	if err := c.Tx.QueryRow(ctx, `SELECT count(*) FROM budget_notifications WHERE account = $1 AND budget = $2`, c.Account, budget).Scan(&there); err != nil {
		return fmt.Errorf("count notifications of %s: %w", budget, err)
	}
	if there >= mostNotifications {
		return refuse(http.StatusBadRequest, "CreationLimitExceededException", "A budget has at most %d notifications.", mostNotifications)
	}
	body, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("notification: %w", err)
	}
	people, err := json.Marshal(subscribers)
	if err != nil {
		return fmt.Errorf("subscribers: %w", err)
	}
	tag, err := c.Tx.Exec(ctx, `INSERT INTO budget_notifications (account, budget, key, body, subscribers) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		c.Account, budget, notificationKey(n), body, people)
	if err != nil {
		return fmt.Errorf("store notification of %s: %w", budget, err)
	}
	if tag.RowsAffected() == 0 {
		return refuse(http.StatusBadRequest, "DuplicateRecordException", "The notification already exists.")
	}
	return nil
}

// mustHaveBudget asks for an existing budget.
func (c *Call) mustHaveBudget(ctx context.Context, account *string, action, name string) error {
	if err := c.budgetOf(ctx, account, action, name); err != nil {
		return err
	}
	all, err := c.budgets(ctx, name)
	if err == nil && (name == "" || len(all) == 0) {
		err = noBudget(name)
	}
	return err
}

func createNotification(ctx context.Context, c *Call, in *budgets.CreateNotificationInput) (*budgets.CreateNotificationOutput, error) {
	name := aws.ToString(in.BudgetName)
	if err := c.mustHaveBudget(ctx, in.AccountId, "ModifyBudget", name); err != nil {
		return nil, err
	}
	return &budgets.CreateNotificationOutput{}, c.addNotification(ctx, name, in.Notification, in.Subscribers)
}

func deleteNotification(ctx context.Context, c *Call, in *budgets.DeleteNotificationInput) (*budgets.DeleteNotificationOutput, error) {
	name := aws.ToString(in.BudgetName)
	if err := c.mustHaveBudget(ctx, in.AccountId, "ModifyBudget", name); err != nil {
		return nil, err
	}
	if _, err := c.subscribers(ctx, name, in.Notification); err != nil {
		return nil, err
	}
	if _, err := c.Tx.Exec(ctx, `DELETE FROM budget_notifications WHERE account = $1 AND budget = $2 AND key = $3`, c.Account, name, notificationKey(in.Notification)); err != nil {
		return nil, fmt.Errorf("delete notification of %s: %w", name, err)
	}
	return &budgets.DeleteNotificationOutput{}, nil
}

func (c *Call) subscribers(ctx context.Context, budget string, n *budgettypes.Notification) ([]budgettypes.Subscriber, error) {
	if n == nil {
		return nil, badParameter("Notification is required.")
	}
	var raw []byte
	err := c.Tx.QueryRow(ctx, `SELECT subscribers FROM budget_notifications WHERE account = $1 AND budget = $2 AND key = $3`, c.Account, budget, notificationKey(n)).Scan(&raw)
	if isNoRows(err) {
		return nil, refuse(http.StatusBadRequest, "NotFoundException", "Unable to get notification: the notification doesn't exist.")
	}
	if err != nil {
		return nil, fmt.Errorf("read subscribers of %s: %w", budget, err)
	}
	var all []budgettypes.Subscriber
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("read subscribers of %s: %w", budget, err)
	}
	return all, nil
}

func createSubscriber(ctx context.Context, c *Call, in *budgets.CreateSubscriberInput) (*budgets.CreateSubscriberOutput, error) {
	name := aws.ToString(in.BudgetName)
	if err := c.mustHaveBudget(ctx, in.AccountId, "ModifyBudget", name); err != nil {
		return nil, err
	}
	all, err := c.subscribers(ctx, name, in.Notification)
	if err != nil {
		return nil, err
	}
	s := in.Subscriber
	switch {
	case s == nil || s.SubscriptionType == "" || aws.ToString(s.Address) == "":
		return nil, badParameter("A subscriber needs its type and an address.")
	case slices.ContainsFunc(all, func(o budgettypes.Subscriber) bool {
		return *o.Address == *s.Address && o.SubscriptionType == s.SubscriptionType
	}):
		return nil, refuse(http.StatusBadRequest, "DuplicateRecordException", "The subscriber already exists.")
	case len(all) >= mostSubscribers:
		return nil, refuse(http.StatusBadRequest, "CreationLimitExceededException", "A notification has at most %d subscribers.", mostSubscribers)
	}
	people, err := json.Marshal(append(all, *s))
	if err != nil {
		return nil, fmt.Errorf("subscribers: %w", err)
	}
	if _, err := c.Tx.Exec(ctx, `UPDATE budget_notifications SET subscribers = $4 WHERE account = $1 AND budget = $2 AND key = $3`, c.Account, name, notificationKey(in.Notification), people); err != nil {
		return nil, fmt.Errorf("store subscribers of %s: %w", name, err)
	}
	return &budgets.CreateSubscriberOutput{}, nil
}

func describeNotifications(ctx context.Context, c *Call, in *budgets.DescribeNotificationsForBudgetInput) (*budgets.DescribeNotificationsForBudgetOutput, error) {
	name := aws.ToString(in.BudgetName)
	if err := c.mustHaveBudget(ctx, in.AccountId, "ViewBudget", name); err != nil {
		return nil, err
	}
	rows, err := c.Tx.Query(ctx, `SELECT body FROM budget_notifications WHERE account = $1 AND budget = $2 ORDER BY key`, c.Account, name)
	if err != nil {
		return nil, fmt.Errorf("read notifications of %s: %w", name, err)
	}
	defer rows.Close()
	var all []budgettypes.Notification
	for rows.Next() {
		var raw []byte
		var n budgettypes.Notification
		if err := rows.Scan(&raw); err != nil {
			return nil, fmt.Errorf("read notification of %s: %w", name, err)
		}
		if err := json.Unmarshal(raw, &n); err != nil {
			return nil, fmt.Errorf("read notification of %s: %w", name, err)
		}
		all = append(all, n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read notifications of %s: %w", name, err)
	}
	all, next, err := page(all, in.NextToken, in.MaxResults, 100)
	return &budgets.DescribeNotificationsForBudgetOutput{Notifications: all, NextToken: next}, err
}

func describeSubscribers(ctx context.Context, c *Call, in *budgets.DescribeSubscribersForNotificationInput) (*budgets.DescribeSubscribersForNotificationOutput, error) {
	name := aws.ToString(in.BudgetName)
	if err := c.mustHaveBudget(ctx, in.AccountId, "ViewBudget", name); err != nil {
		return nil, err
	}
	all, err := c.subscribers(ctx, name, in.Notification)
	if err != nil {
		return nil, err
	}
	all, next, err := page(all, in.NextToken, in.MaxResults, 100)
	return &budgets.DescribeSubscribersForNotificationOutput{Subscribers: all, NextToken: next}, err
}
