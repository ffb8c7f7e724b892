"""The rollout engine: plan, judge and decision are pure; drive is the loop; ports are what it needs of the world."""
